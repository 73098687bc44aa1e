import type { IncomingMessage } from "node:http";
import type { Configuration, KoaContextWithOIDC, Provider, ResourceServer } from "oidc-provider";
import type { LoginPlan } from "../config/plan-login.ts";
import type { People } from "../identity/people.ts";
import type { GuardedFetch } from "../lib/guarded-fetch.ts";
import { type AdapterErrors, adapterFactory } from "./adapter.ts";
import type { ClientDocuments } from "./client-documents.ts";
import { jwt_bearer } from "./grant-types.ts";
import { type AssertionGrant, type Assertions, answerAssertion } from "./id-jag.ts";
import type { MachineClients } from "./machine-clients.ts";
import { errorPage, renderPage } from "./pages.ts";
import { hashId, type RecordOptions } from "./records.ts";
import { sessionCookie } from "./session-cookies.ts";
import { type SigningKeys, signing_algorithm } from "./signing-keys.ts";

/** Where the authorization server answers, beside its two documents below `/.well-known/`. */
export const login_paths = {
	authorization: "/oauth/authorize",
	interaction: "/oauth/interaction",
	jwks: "/oauth/jwks",
	registration: "/oauth/register",
	revocation: "/oauth/revoke",
	token: "/oauth/token",
} as const;

/** What every token is for: using what the person may use. Tools may want other scopes beside. */
export const base_scope = "mcp";

const minute_s = 60;
const day_s = 24 * 60 * minute_s;
/** Short, since a token cannot be taken back; clients renew theirs. */
export const access_token_s = 10 * minute_s;
/** From the last use on. */
const refresh_token_s = 30 * day_s;
const grant_s = 365 * day_s;
/** How long a person may take to log in and to consent. */
const interaction_s = 10 * minute_s;
/** How long a browser needs no new login. */
const session_s = day_s;
const client_jwks_bytes_max = 64 * 1024;
const client_document_bytes_max = 5 * 1024;

/** What an authorization server is made of. */
export interface ProviderOptions {
	readonly issuer: string;
	readonly plan: LoginPlan;
	readonly records: RecordOptions;
	readonly keys: SigningKeys;
	readonly people: People;
	readonly machines: MachineClients;
	readonly documents: ClientDocuments;
	/** What nonces of proofs are made of; 32 bytes. */
	readonly nonce_key: Buffer;
	/** Fetches what clients name: their documents and key sets. */
	readonly fetch: GuardedFetch;
	/** Where a request comes from. */
	readonly addressOf: (request: IncomingMessage) => string;
	/** Whether an address of this gateway is one that tokens can be for. */
	readonly isResource: (url: string) => boolean;
	/** What identity providers say of people, for clients that bring it. */
	readonly assertions: Assertions;
	readonly onDefect: (error: unknown) => void;
}

/**
 * Makes the authorization server: oidc-provider, set to what the protocol asks for (authorization,
 * 2026-07-28): OAuth 2.1 with PKCE (S256 only), resource indicators (RFC 8707), `iss` in responses
 * (RFC 9207), client-id metadata documents, access tokens of RFC 9068. The library is loaded here
 * and nowhere else, so that a gateway without this costs nothing.
 */
export async function createProvider(options: ProviderOptions): Promise<Provider> {
	const library = await import("oidc-provider");
	const { errors, interactionPolicy } = library;
	const adapter_errors: AdapterErrors = {
		full: () => new errors.TemporarilyUnavailable("there are too many of these; try again later"),
		usedTwice: () => new errors.InvalidGrant("already used"),
		refusedClient: (reason) => new errors.InvalidClientMetadata(reason),
	};
	const policy = interactionPolicy.base();
	policy.get("consent")?.checks.add(
		new interactionPolicy.Check("not_asked", "consent is asked of the person", (context) => {
			return mayPass(context)
				? interactionPolicy.Check.NO_NEED_TO_PROMPT
				: interactionPolicy.Check.REQUEST_PROMPT;
		}),
	);
	const provider = new library.Provider(options.issuer, {
		...staticConfiguration(options),
		adapter: adapterFactory(options.records, adapter_errors),
		interactions: {
			policy,
			url: (_context, { uid }) => `${login_paths.interaction}/${uid}`,
		},
		extraTokenClaims: async (_context, token) => {
			const holder =
				token.kind === "AccessToken"
					? accountHolder(options.people, token.accountId)
					: await options.machines.holderOf(token.clientId ?? "");
			if (holder === undefined) {
				throw new errors.InvalidGrant("nobody is behind this client or account any more");
			}
			const grant = token.kind === "AccessToken" ? token.grantId : undefined;
			return { ...holder, ...(grant === undefined ? {} : { grant: hashId(grant) }) };
		},
		features: {
			...features(options),
			resourceIndicators: {
				enabled: true,
				defaultResource: (_context, _client, one_of) =>
					one_of === undefined ? `${options.issuer}/mcp` : one_of,
				useGrantedResource: () => true,
				getResourceServerInfo: (_context, resource) => {
					if (!options.isResource(resource)) throw new errors.InvalidTarget();
					return resourceServer(resource, options.plan.scopes);
				},
			},
		},
	});
	const enterprise = options.plan.federated.some((one) => one.enterprise);
	if (enterprise) {
		const grant: AssertionGrant = {
			assertions: options.assertions,
			default_resource: `${options.issuer}/mcp`,
			resourceServer: (resource) =>
				options.isResource(resource) ? resourceServer(resource, options.plan.scopes) : undefined,
			errors: {
				invalidGrant: (reason) => new errors.InvalidGrant(reason),
				invalidTarget: () => new errors.InvalidTarget(),
				invalidRequest: (reason) => new errors.InvalidRequest(reason),
			},
		};
		const answer = (context: KoaContextWithOIDC) => answerAssertion(context, grant);
		provider.registerGrantType(jwt_bearer, answer, ["assertion", "scope", "resource"]);
	}
	provider.use(answerWithoutScopes);
	// TLS may end in front of the gateway; `forcedHeaders` says what the address is.
	provider.proxy = true;
	provider.on("server_error", (_context, error) => options.onDefect(error));
	return provider;
}

/** A registration is answered with what holds: such clients are not limited to any scopes. */
const answerWithoutScopes: Parameters<Provider["use"]>[0] = async (context, next) => {
	await next();
	const { oidc, body } = context as KoaContextWithOIDC;
	if (oidc?.route === "registration") delete (body as { scope?: unknown } | undefined)?.scope;
};

/**
 * Whether nothing has to be asked: the person has consented to this client, and the answer goes to
 * an https address. Any program of the person's machine can take the place of another on a
 * loopback address or a scheme of its own (RFC 8252 section 8.6), so there they are always asked.
 */
function mayPass({ oidc }: KoaContextWithOIDC): boolean {
	if (oidc.result?.consent !== undefined) return true;
	if (oidc.client === undefined || oidc.session === undefined) return false;
	if (oidc.session.grantIdFor(oidc.client.clientId) === undefined) return false;
	const target = oidc.params?.["redirect_uri"];
	return typeof target === "string" && target.startsWith("https://");
}

/** What tokens say of a person. */
export interface Holder {
	readonly tenant: string;
	readonly user: string;
	readonly roles: readonly string[];
}

function accountHolder(people: People, account: string): Holder | undefined {
	const [tenant = "", user = ""] = account.split("/");
	const found = people.user(tenant, user);
	return found === undefined ? undefined : { tenant, user, roles: found.roles };
}

function resourceServer(resource: string, scopes: readonly string[]): ResourceServer {
	return {
		audience: resource,
		scope: [...new Set([base_scope, ...scopes])].join(" "),
		accessTokenFormat: "jwt",
		accessTokenTTL: access_token_s,
		jwt: { sign: { alg: signing_algorithm } },
	};
}

function features({
	plan,
	documents,
	nonce_key,
	addressOf,
}: ProviderOptions): Configuration["features"] {
	return {
		clientCredentials: { enabled: true },
		clientIdMetadataDocument: {
			enabled: plan.client_documents.length > 0,
			ack: "draft-02",
			allowFetch: ({ req }: { readonly req: IncomingMessage }, id: string) =>
				documents.mayFetch(id, addressOf(req)),
			allowClient: () => true,
			cacheDuration: { min: 60, max: 3600 },
		},
		devInteractions: { enabled: false },
		dPoP: {
			enabled: true,
			...(plan.dpop_nonces === "off" ? {} : { nonceSecret: nonce_key, requireNonce: () => true }),
		},
		introspection: { enabled: false },
		pushedAuthorizationRequests: { enabled: false },
		registration: {
			enabled: plan.registration,
			initialAccessToken: false,
			issueRegistrationAccessToken: false,
		},
		revocation: {
			enabled: true,
			allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
		},
		rpInitiatedLogout: { enabled: false },
		userinfo: { enabled: false },
	};
}

function staticConfiguration(options: ProviderOptions): Configuration {
	const { keys, people, issuer } = options;
	const secure = issuer.startsWith("https://");
	return {
		allowOmittingSingleRegisteredRedirectUri: false,
		claims: { openid: ["sub"] },
		clientAuthMethods: ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
		clientDefaults: { id_token_signed_response_alg: signing_algorithm },
		cookies: {
			keys: [...keys.cookie_keys],
			long: { httpOnly: true, sameSite: "lax", signed: true, secure },
			short: { httpOnly: true, sameSite: "lax", signed: true, secure },
			names: {
				session: sessionCookie(issuer),
				interaction: secure ? "__Secure-moorage_interaction" : "moorage_interaction",
				resume: secure ? "__Secure-moorage_resume" : "moorage_resume",
			},
		},
		discovery: options.plan.federated.some((one) => one.enterprise)
			? { authorization_grant_profiles_supported: ["urn:ietf:params:oauth:grant-profile:id-jag"] }
			: {},
		enabledJWA: { clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"] },
		expiresWithSession: () => false,
		fetch: (url, init) => fetchFor(options.fetch, url, init),
		fetchResponseBodyLimits: {
			"client_id metadata document": client_document_bytes_max,
			jwks_uri: client_jwks_bytes_max,
			sector_identifier_uri: client_document_bytes_max,
		},
		findAccount: (_context, id) => {
			const [tenant = "", user = ""] = id.split("/");
			if (people.user(tenant, user) === undefined) return undefined;
			return { accountId: id, claims: () => ({ sub: id }) };
		},
		issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
		jwks: { keys: [...keys.keys] },
		pkce: { required: () => true },
		renderError: (context, out) => {
			const { headers, text } = renderPage(errorPage(out));
			context.set(headers);
			context.body = text;
		},
		responseTypes: ["code"],
		rotateRefreshToken: true,
		routes: {
			authorization: login_paths.authorization,
			jwks: login_paths.jwks,
			registration: login_paths.registration,
			revocation: login_paths.revocation,
			token: login_paths.token,
		},
		scopes: [...new Set(["openid", "offline_access", base_scope, ...options.plan.scopes])],
		subjectTypes: ["public"],
		ttl: {
			AccessToken: access_token_s,
			AuthorizationCode: minute_s,
			ClientCredentials: access_token_s,
			Grant: grant_s,
			IdToken: access_token_s,
			Interaction: interaction_s,
			RefreshToken: refresh_token_s,
			Session: session_s,
		},
	};
}

/** The library's fetch as ours: what it may ask is decided by the guard. */
async function fetchFor(
	fetch: GuardedFetch,
	url: string | URL | Request,
	init: RequestInit = {},
): Promise<Response> {
	const headers = Object.fromEntries(new Headers(init.headers));
	const target = url instanceof Request ? url.url : url.toString();
	return await fetch(target, { method: init.method, headers });
}
