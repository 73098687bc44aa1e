import * as z from "zod";
import type { GuardedFetch } from "../../lib/guarded-fetch.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";

/** What an issuer tells about itself, as far as a resource server needs it. */
export interface IssuerMetadata {
	readonly jwks_uri: string | undefined;
	readonly introspection_endpoint: string | undefined;
}

const text = z.string().max(2_048);
const schema = z.object({
	issuer: text,
	jwks_uri: text.optional(),
	introspection_endpoint: text.optional(),
});

/**
 * Where an issuer's metadata may be: for one with a path inserted before it (RFC 8414 section 3.1),
 * as OpenID Connect Discovery has it last.
 */
export function metadataAddresses(issuer: string): string[] {
	const { origin, pathname } = new URL(issuer);
	const path = pathname.replace(/\/$/, "");
	const inserted = [
		`${origin}/.well-known/oauth-authorization-server${path}`,
		`${origin}/.well-known/openid-configuration${path}`,
	];
	return path === ""
		? inserted
		: [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

/**
 * Fetches an issuer's metadata. A document about another issuer is refused: the name must be the
 * same character by character (RFC 8414 section 3.3). The problem is for the log.
 */
export async function fetchIssuerMetadata(
	issuer: string,
	fetch: GuardedFetch,
): Promise<Result<IssuerMetadata, string>> {
	let problem = "";
	for (const address of metadataAddresses(issuer)) {
		try {
			const answer = await fetch(address);
			if (answer.status !== 200) {
				problem = `${address} answered with HTTP ${answer.status}`;
				continue;
			}
			const parsed = schema.safeParse(await answer.json());
			if (!parsed.success) problem = `${address} has no metadata of an issuer`;
			else if (parsed.data.issuer !== issuer) {
				return fail(`${address} is about another issuer, "${parsed.data.issuer.slice(0, 200)}"`);
			} else {
				const { jwks_uri, introspection_endpoint } = parsed.data;
				return succeed({ jwks_uri, introspection_endpoint });
			}
		} catch (error) {
			problem = `${address} ${messageOf(error)}`;
		}
	}
	return fail(problem);
}

/** What an exception of a fetch says, in one line. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
