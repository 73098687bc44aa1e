import {
	type AuthorizationServer,
	allowInsecureRequests,
	type ClientAuth,
	ClientSecretBasic,
	ClientSecretPost,
	customFetch,
	discoveryRequest,
	None,
	processDiscoveryResponse,
} from "oauth4webapi";
import type { ProviderPlan } from "../config/plan-login.ts";
import type { Clock } from "../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../lib/guarded-fetch.ts";

/** What of a provider is needed to ask it for something. */
export type KnownProvider = Pick<ProviderPlan, "name" | "issuer" | "client_id" | "client_secret">;

const metadata_ms = 10 * 60_000;

/** Asks identity providers: their metadata, and how a request to one is made. */
export class ProviderRequests {
	readonly #clock: Clock;
	readonly #metadata = new Map<string, { server: AuthorizationServer; until_ms: number }>();
	readonly #fetches = new Map<string, GuardedFetch>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** What a provider publishes of itself, read anew every ten minutes. */
	async server({ issuer: name }: KnownProvider): Promise<AuthorizationServer> {
		const now_ms = this.#clock.monotonic();
		const known = this.#metadata.get(name);
		if (known !== undefined && known.until_ms > now_ms) return known.server;
		const issuer = new URL(name);
		const response = await discoveryRequest(issuer, this.options({ issuer: name }));
		const server = await processDiscoveryResponse(issuer, response);
		this.#metadata.set(name, { server, until_ms: now_ms + metadata_ms });
		return server;
	}

	/** How requests to a provider leave. */
	options({ issuer }: Pick<KnownProvider, "issuer">) {
		const fetch = this.#fetches.get(issuer) ?? guardedFetch({ clock: this.#clock, near: issuer });
		this.#fetches.set(issuer, fetch);
		return {
			// The guard decides where plain http is acceptable.
			[allowInsecureRequests]: true,
			[customFetch]: (
				url: string,
				init: { method: string; body?: unknown; headers: Record<string, string> },
			) => {
				const body = init.body instanceof URLSearchParams ? init.body.toString() : undefined;
				return fetch(url, { method: init.method, headers: init.headers, body });
			},
		};
	}
}

/** How a provider is told who this gateway is. */
export function authOf(
	{ client_secret }: Pick<KnownProvider, "client_secret">,
	server: AuthorizationServer,
): ClientAuth {
	if (client_secret === undefined) return None();
	const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
	return methods.includes("client_secret_basic")
		? ClientSecretBasic(client_secret)
		: ClientSecretPost(client_secret);
}
