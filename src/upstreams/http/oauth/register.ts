import type { AuthorizationServer } from "oauth4webapi";
import * as z from "zod";
import type { OAuthSpec } from "../../../config/plan.ts";
import { isLoopbackHost } from "../../../lib/addresses.ts";
import type { GuardedFetch } from "../../../lib/guarded-fetch.ts";
import { OAuthProblem, originOf } from "./oauth-problem.ts";
import type { Registration } from "./token-store.ts";

/** What registering needs. */
export interface RegisterOptions {
	readonly spec: OAuthSpec;
	readonly server: AuthorizationServer;
	readonly redirect_uri: string;
	readonly fetch: GuardedFetch;
	/** In wall-clock milliseconds: a secret may have ended. */
	readonly now_ms: number;
	/** What is registered already, by issuer. */
	readonly known: Readonly<Record<string, Registration>>;
}

const answer_schema = z.object({
	client_id: z.string().min(1).max(2_048),
	client_secret: z.string().max(8_192).optional(),
	token_endpoint_auth_method: z.string().max(64).optional(),
	client_secret_expires_at: z.number().int().nonnegative().optional(),
});

/**
 * Who we are to an authorization server (authorization, 2026-07-28, client registration):
 * as the operator registered us, else by our client-id metadata document, else by dynamic
 * registration; where none of it is possible, the operator is asked.
 */
export async function register(options: RegisterOptions): Promise<Registration> {
	const { spec, server, known, redirect_uri, now_ms } = options;
	if (spec.client_id !== undefined) return preRegistered(spec, spec.client_id, server, known);
	const document = spec.client_metadata;
	if (document !== undefined && server.client_id_metadata_document_supported === true) {
		return { client_id: document, client_secret: undefined, auth_method: "none" };
	}
	const before = known[server.issuer];
	// An issuer knows one address to lead back to: ours may be another one now.
	const is_ours = before?.redirect_uri === redirect_uri;
	if (before !== undefined && is_ours && now_ms < (before.expires_at_ms ?? Infinity)) return before;
	if (server.registration_endpoint === undefined || spec.grant !== "authorization_code") {
		throw new OAuthProblem(
			`Its authorization server ${originOf(server.issuer)} lets nobody register by itself. ` +
				"Register Moorage there and set `client_id` and `client_secret` under `oauth`.",
		);
	}
	return registerDynamically(server.registration_endpoint, options);
}

/** Credentials given for one issuer are never shown to another. */
function preRegistered(
	spec: OAuthSpec,
	client_id: string,
	server: AuthorizationServer,
	known: Readonly<Record<string, Registration>>,
): Registration {
	const [first] = Object.keys(known);
	const issuer = spec.issuer ?? first ?? server.issuer;
	if (issuer !== server.issuer) {
		throw new OAuthProblem(
			`It wants tokens of ${originOf(server.issuer)}, but its \`client_id\` belongs to ` +
				`${originOf(issuer)}. If it has moved, register Moorage there and set the new ` +
				"`client_id` and `issuer`.",
		);
	}
	return { client_id, client_secret: spec.client_secret, auth_method: undefined };
}

async function registerDynamically(
	endpoint: string,
	{ server, redirect_uri, fetch }: RegisterOptions,
): Promise<Registration> {
	const is_native = isLoopbackHost(new URL(redirect_uri).hostname);
	const body = JSON.stringify({
		client_name: "Moorage",
		application_type: is_native ? "native" : "web",
		redirect_uris: [redirect_uri],
		grant_types: ["authorization_code", "refresh_token"],
		response_types: ["code"],
		token_endpoint_auth_method: wantedMethod(server),
	});
	const headers = { "content-type": "application/json" };
	const answer = await fetch(endpoint, { method: "POST", headers, body });
	const is_ok = answer.status === 201 || answer.status === 200;
	const parsed = answer_schema.safeParse(is_ok ? await answer.json().catch(() => null) : null);
	if (!parsed.success) {
		throw new OAuthProblem(
			`Its authorization server ${originOf(server.issuer)} did not register Moorage ` +
				`(HTTP ${answer.status}). Register it there by hand and set \`client_id\` under \`oauth\`.`,
		);
	}
	const { client_id, client_secret, token_endpoint_auth_method: method } = parsed.data;
	// RFC 7591 section 3.2.1: 0 says that it does not end.
	const ends_s = parsed.data.client_secret_expires_at ?? 0;
	const expires_at_ms = ends_s === 0 ? undefined : ends_s * 1000;
	const auth_method = method ?? wantedMethod(server);
	return { client_id, client_secret, auth_method, redirect_uri, expires_at_ms };
}

function wantedMethod(server: AuthorizationServer): string {
	const offered = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
	const order = ["client_secret_basic", "client_secret_post", "none"];
	return order.find((method) => offered.includes(method)) ?? "client_secret_basic";
}
