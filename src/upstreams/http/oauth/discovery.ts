import type { AuthorizationServer } from "oauth4webapi";
import * as z from "zod";
import type { OAuthService } from "../../../config/oauth-service.ts";
import { type GuardedFetch, RefusedAddress } from "../../../lib/guarded-fetch.ts";
import type { BearerChallenge } from "./challenge.ts";
import { OAuthProblem, originOf } from "./oauth-problem.ts";
import { knownServer } from "./service.ts";

/** What is known of the way to a token for one server. */
export interface Discovered {
	/** Sent as `resource` (RFC 8707). */
	readonly resource: string;
	/** Scopes the resource lists; undefined when it lists none. */
	readonly scopes: readonly string[] | undefined;
	readonly server: AuthorizationServer;
	/** True when the server told nothing and the endpoints of 2025-03-26 are assumed. */
	readonly is_assumed: boolean;
}

const text = z.string().max(2_048);
const texts = z.array(text).max(1_024);
const resource_schema = z.object({
	resource: text,
	authorization_servers: z.array(text).min(1).max(16).optional(),
	scopes_supported: texts.optional(),
});
const server_schema = z.object({
	issuer: text,
	authorization_endpoint: text.optional(),
	token_endpoint: text,
	registration_endpoint: text.optional(),
	revocation_endpoint: text.optional(),
	revocation_endpoint_auth_methods_supported: texts.optional(),
	scopes_supported: texts.optional(),
	code_challenge_methods_supported: texts.optional(),
	token_endpoint_auth_methods_supported: texts.optional(),
	authorization_response_iss_parameter_supported: z.boolean().optional(),
	client_id_metadata_document_supported: z.boolean().optional(),
});

type ResourceMetadata = z.output<typeof resource_schema>;

/** What an authorization server is found by. */
export interface DiscoverOptions {
	/** The server that wants a token. */
	readonly url: string;
	/** How it said so. */
	readonly challenge: BearerChallenge;
	readonly fetch: GuardedFetch;
	/** Issuers that win among several, the first before the next. */
	readonly preferred: readonly string[];
	/** What is known of the service without asking, where a preset is used. */
	readonly service?: OAuthService | undefined;
}

/**
 * Finds the authorization server of an MCP server (authorization, 2026-07-28): the resource
 * metadata named in the challenge, else at the well-known address with the server's path,
 * else at the root; without any, as 2025-03-26 had it. Of a service whose addresses are known
 * nothing is asked.
 */
export async function discover(options: DiscoverOptions): Promise<Discovered> {
	const { url, challenge, fetch, preferred, service } = options;
	const known = knownServer(service);
	if (known !== undefined) {
		const resource = canonicalResource(url);
		return { resource, scopes: undefined, server: known, is_assumed: false };
	}
	const metadata = await resourceMetadata(url, challenge, fetch);
	if (metadata === undefined) return discoverAtRoot(url, fetch, service);
	if (!isResourceOf(metadata.resource, url)) {
		throw new OAuthProblem(
			`Its metadata is about another resource (${originOf(metadata.resource)}), so no token ` +
				"was asked for. Check its address, or report this to the server's author.",
		);
	}
	const issuers = metadata.authorization_servers ?? [];
	const issuer = preferred.find((one) => issuers.includes(one)) ?? issuers[0];
	if (issuer === undefined) {
		throw new OAuthProblem(
			"Its metadata names no authorization server. Report this to the server's author.",
		);
	}
	const server = await serverMetadata(issuer, fetch);
	if (server === undefined) {
		throw new OAuthProblem(
			`Its authorization server ${originOf(issuer)} publishes no metadata. ` +
				"Report this to whoever runs it.",
		);
	}
	const { resource, scopes_supported } = metadata;
	return { resource, scopes: scopes_supported, server, is_assumed: false };
}

/** The address of a server as a resource: no fragment, no slash at the end. */
export function canonicalResource(url: string): string {
	const { href } = Object.assign(new URL(url), { hash: "" });
	return href.endsWith("/") ? href.slice(0, -1) : href;
}

/** Where the metadata of an issuer may be, in order (RFC 8414 section 3.1, OIDC discovery). */
export function serverMetadataUrls(issuer: string): string[] {
	const { origin, pathname } = new URL(issuer);
	const path = pathname.replace(/\/$/, "");
	const forms = [
		`${origin}/.well-known/oauth-authorization-server${path}`,
		`${origin}/.well-known/openid-configuration${path}`,
	];
	return path === "" ? forms : [...forms, `${origin}${path}/.well-known/openid-configuration`];
}

async function resourceMetadata(
	url: string,
	challenge: BearerChallenge,
	fetch: GuardedFetch,
): Promise<ResourceMetadata | undefined> {
	if (challenge.resource_metadata !== undefined) {
		const named = await readDocument(challenge.resource_metadata, resource_schema, fetch);
		if (named !== undefined) return named;
		throw new OAuthProblem(
			"The resource metadata that it names does not exist. Report this to the server's author.",
		);
	}
	const { origin, pathname } = new URL(url);
	const root = `${origin}/.well-known/oauth-protected-resource`;
	const path = pathname.replace(/\/$/, "");
	for (const candidate of path === "" ? [root] : [root + path, root]) {
		const found = await readDocument(candidate, resource_schema, fetch);
		if (found !== undefined) return found;
	}
	return undefined;
}

/** As 2025-03-26 had it: metadata at the root of the server itself, else fixed endpoints. */
async function discoverAtRoot(
	url: string,
	fetch: GuardedFetch,
	service: OAuthService | undefined,
): Promise<Discovered> {
	const { origin } = new URL(url);
	const at_root = `${origin}/.well-known/oauth-authorization-server`;
	// Of some services it is known that an issuer of another name speaks there.
	const found = await readServer(at_root, [origin, service?.issuer ?? origin], fetch);
	const assumed: AuthorizationServer = {
		issuer: origin,
		authorization_endpoint: `${origin}/authorize`,
		token_endpoint: `${origin}/token`,
		registration_endpoint: `${origin}/register`,
		code_challenge_methods_supported: ["S256"],
	};
	const resource = canonicalResource(url);
	const is_assumed = found === undefined;
	return { resource, scopes: undefined, server: found ?? assumed, is_assumed };
}

/**
 * What an issuer publishes of itself; undefined where it publishes nothing. Rejects with why it is
 * not to be used.
 */
export async function serverMetadata(
	issuer: string,
	fetch: GuardedFetch,
): Promise<AuthorizationServer | undefined> {
	if (!URL.canParse(issuer)) {
		throw new OAuthProblem(
			"The name of its authorization server is no address. Report this to the server's author.",
		);
	}
	for (const candidate of serverMetadataUrls(issuer)) {
		const found = await readServer(candidate, [issuer], fetch);
		if (found !== undefined) return found;
	}
	return undefined;
}

async function readServer(
	url: string,
	issuers: readonly [string, ...string[]],
	fetch: GuardedFetch,
): Promise<AuthorizationServer | undefined> {
	const found = await readDocument(url, server_schema, fetch);
	if (found === undefined) return undefined;
	// RFC 8414 section 3.3, as plain strings: one server must not speak for another.
	if (!issuers.includes(found.issuer)) {
		throw new OAuthProblem(
			`The metadata of its authorization server ${originOf(issuers[0])} is that of another ` +
				"issuer, so it was not used. Report this to whoever runs it.",
		);
	}
	return found as AuthorizationServer;
}

/** A metadata document; undefined when there is none at the address. */
async function readDocument<Schema extends z.ZodType>(
	url: string,
	schema: Schema,
	fetch: GuardedFetch,
): Promise<z.output<Schema> | undefined> {
	const answer = await fetch(url).catch((error: unknown) => {
		const why = error instanceof RefusedAddress ? `it ${error.message}` : "it cannot be reached";
		throw new OAuthProblem(
			`The metadata at ${originOf(url)} was not read: ${why}. Check the server's settings.`,
		);
	});
	if (answer.status >= 400 && answer.status < 500) return undefined;
	const parsed = schema.safeParse(
		answer.ok ? await answer.json().catch(() => undefined) : undefined,
	);
	if (parsed.success) return parsed.data;
	throw new OAuthProblem(
		`The metadata at ${originOf(url)} is not valid (HTTP ${answer.status}). ` +
			"Try again later, or report this to whoever runs it.",
	);
}

/** RFC 9728 section 3.3, and a resource may stand for the paths below it. */
function isResourceOf(resource: string, url: string): boolean {
	if (!URL.canParse(resource)) return false;
	const [wide, narrow] = [new URL(resource), new URL(url)];
	if (wide.origin !== narrow.origin) return false;
	const base = wide.pathname.endsWith("/") ? wide.pathname : `${wide.pathname}/`;
	return `${narrow.pathname}/`.startsWith(base);
}
