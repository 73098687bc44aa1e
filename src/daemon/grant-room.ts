import type { IncomingMessage, ServerResponse } from "node:http";
import { ConnectPages } from "../admin/connect-pages.ts";
import type { CookieOptions } from "../admin/session-cookie.ts";
import type { SignInPages } from "../admin/sign-in-pages.ts";
import type { OAuthSpec } from "../config/plan.ts";
import type { Random } from "../lib/random.ts";
import type { IdentityTokens, KeptIdentity } from "../login/identity-tokens.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { SecretRedactor } from "../secrets/redactor.ts";
import type { Repositories } from "../store/repositories.ts";
import type { Log } from "../telemetry/log.ts";
import { httpDriverWith } from "../upstreams/http/driver.ts";
import { aboutOf } from "../upstreams/http/oauth/about.ts";
import type { IdentitySource } from "../upstreams/http/oauth/exchange.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { TokenRequest } from "../upstreams/http/oauth/upstream-auth.ts";
import { type GrantFor, UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { Connections, type ConnectRooms, publicUrl } from "./connections.ts";
import { Consents, consentPath } from "./consents.ts";
import { GrantDesk } from "./grant-desk.ts";
import { oauthOf, type Values } from "./grants-about.ts";
import { IdleGrants } from "./idle-grants.ts";
import type { DaemonOptions } from "./options.ts";
import { UntoldGrants } from "./untold-grants.ts";

/** Where grants are kept, and what is still to be told of them. */
export type GrantRows = Pick<Repositories, "grants" | "login">;

/** What the room of grants is built from. */
export interface GrantRoomParts {
	readonly options: Pick<DaemonOptions, "clock" | "random" | "log" | "authorize">;
	readonly rows: GrantRows;
	readonly box: SecretBox;
	readonly redactor: SecretRedactor;
	/** What puts values into the specs of servers. */
	values(): Values;
	/** The house: not before it is built. */
	rooms(): ConnectRooms;
	/** What people have signed in with at providers. */
	identities(): IdentityTokens;
	/** Who may come in, as the dashboard decides it. */
	door(): SignInPages;
	cookies(): CookieOptions;
	/** Counts every token that is asked for at a server's authorization server. */
	telemetry(): { countToken(server: string, request: TokenRequest): void };
}

/** What people have authorized Moorage to use at remote servers, kept beyond a restart. */
export class GrantRoom {
	readonly driver: ReturnType<typeof httpDriverWith>;
	readonly desk: GrantDesk;
	readonly connections: Connections;
	readonly #store: SealedTokenStore;
	readonly #auths: UpstreamAuths;
	readonly #idle: IdleGrants;
	readonly #log: Log;
	readonly #random: Random;
	readonly #door: () => SignInPages;
	readonly #cookies: () => CookieOptions;
	#pages: ConnectPages | undefined;

	constructor({ options, rows, box, redactor, ...parts }: GrantRoomParts) {
		const { clock, random, log, authorize } = options;
		const { rooms, telemetry } = parts;
		this.#log = log;
		this.#random = random;
		this.#door = parts.door;
		this.#cookies = parts.cookies;
		this.#store = new SealedTokenStore({
			...{ repository: rows.grants, box, redactor: redactor.tokens, clock, log },
			onReplaced: (who, { about, grant }) => {
				const spec = auths.specOf(who, about);
				void this.desk.tellLate({ server: who.server, grant, spec });
			},
		});
		const consents = new Consents(clock, log, (page, who) => {
			return this.connections.personPage(page, who).url;
		});
		const auths = new UpstreamAuths({
			clock,
			random,
			store: this.#store,
			authorize: authorize ?? ((...wanted) => consents.authorize(...wanted)),
			// Who is asked in another way has no use for our page.
			pageFor: (page, who) =>
				authorize === undefined ? this.connections.personPage(page, who) : undefined,
			identityOf: (who, provider) => identityOf(parts.identities, who, provider),
			signInPage: (who) => this.connections.signInPage(who),
			onLate: (ended) => void this.desk.tellLate(ended),
			onGranted: (who) => this.connections.onGranted(who),
			redirectUri: (issuer) => `${publicUrl(rooms())}${consentPath(issuer)}`,
			onTokenRequest: (...asked) => telemetry().countToken(...asked),
		});
		this.connections = new Connections(consents, this.#store, auths, rooms, () => parts.values());
		const { connections } = this;
		this.desk = new GrantDesk({
			...{ store: this.#store, auths, connections, clock, log },
			untold: new UntoldGrants({ repository: rows.login, box, clock }),
			// The client of the configuration of before is known for as long as the gateway runs.
			specOf: async (who, about) =>
				(await currentSpec(parts, who, about)) ?? auths.specOf(who, about),
		});
		this.#auths = auths;
		this.#idle = new IdleGrants({
			...{ store: this.#store, auths, clock, log },
			specOf: async ({ server, tenant, user }) => {
				const plan = rooms().plan.servers.find(({ name }) => name === server);
				return plan && oauthOf(parts.values(), plan, { tenant, user });
			},
		});
		this.driver = httpDriverWith(auths);
	}

	/** Answers browsers on the pages for connecting accounts, and those that issuers lead back. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		this.#pages ??= new ConnectPages({
			...{ connections: this.connections, grants: this.desk, random: this.#random },
			...{ cookies: this.#cookies(), door: this.#door() },
		});
		this.#pages.serve(request, response).catch((error: unknown) => {
			this.#log.error({ err: error }, "a page for connecting an account failed");
			response.destroy();
		});
	}

	/** Has every token redacted from now on. */
	start(): Promise<void> {
		return this.#store.start();
	}

	/**
	 * Tells issuers of what ended while no gateway ran, and renews what nobody uses; once the vault
	 * is open.
	 */
	opened(): void {
		this.#idle.start();
		this.desk.tellUntold().catch((error: unknown) => {
			this.#log.warn({ err: error }, "authorizations that have ended could not be read");
		});
	}

	/** Waits for tokens that are on their way, and writes what could not be written before. */
	async close(): Promise<void> {
		this.#idle.close();
		const { coming } = this.#auths;
		if (coming > 0) this.#log.info({ coming }, "waiting for tokens that are on their way");
		await this.#auths.close();
		await this.#store.close();
	}
}

/** What a provider says of somebody; an account that many share is nobody's identity. */
function identityOf(
	identities: () => IdentityTokens,
	{ tenant, user }: GrantFor,
	provider: string | undefined,
): IdentitySource {
	const account = `${tenant}/${user}`;
	let shown: KeptIdentity | undefined;
	return {
		async current() {
			shown = user === "" ? undefined : await identities().of(account, provider);
			if (shown === undefined) return undefined;
			const { issuer, client_id, client_secret, id_token } = shown;
			return { issuer, client_id, client_secret, token: id_token };
		},
		async refused({ token }) {
			if (shown?.id_token === token) await identities().refused(account, shown);
		},
	};
}

/** What the configuration says of a server, with its values, where a grant is about just that. */
async function currentSpec(
	{ rooms, values }: Pick<GrantRoomParts, "rooms" | "values">,
	{ server, tenant, user }: GrantFor,
	about: string,
): Promise<OAuthSpec | undefined> {
	const plan = rooms().plan.servers.find(({ name }) => name === server);
	if (plan?.spec.driver !== "http" || plan.spec.auth === undefined) return undefined;
	// Who we are at its issuer may stand in the vault.
	const found = await oauthOf(values(), plan, { tenant, user });
	return found !== undefined && aboutOf(found.url, found.auth) === about ? found.auth : undefined;
}
