import { fail, type Result, succeed } from "../lib/result.ts";
import { type CredentialProblem, credentialProblem } from "./credential-problem.ts";

/** What a request's `Authorization` header holds. */
export interface Credential {
	readonly scheme: "bearer" | "dpop";
	readonly token: string;
}

/** No credential is as long as this; longer ones are not even looked at. */
const token_chars_max = 12_000;

/** RFC 6750 section 2.1. The scheme's name is not case-sensitive (RFC 9110 section 11.1). */
const form = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*) *$/i;

/** Reads an `Authorization` header. */
export function readCredential(
	authorization: string | undefined,
): Result<Credential, CredentialProblem> {
	if (authorization === undefined) return fail(credentialProblem("credential_missing"));
	const found = authorization.length > token_chars_max ? null : form.exec(authorization);
	const [, scheme, token] = found ?? [];
	if (scheme === undefined || token === undefined) {
		return fail(credentialProblem("credential_malformed"));
	}
	return succeed({ scheme: scheme.length === 4 ? "dpop" : "bearer", token });
}
