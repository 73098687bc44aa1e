import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { fail, type Result, succeed } from "../../lib/result.ts";
import {
	type CredentialCode,
	type CredentialProblem,
	credentialProblem,
} from "../credential-problem.ts";
import { messageOf } from "./issuer-metadata.ts";
import type { IssuerRules } from "./issuer-options.ts";
import { type FindKey, KeysUnavailable } from "./key-set.ts";

/** How far clocks may differ. */
const skew_s = 10;

/** Types of signed tokens that are something other than access tokens. */
const access_token_types = ["at+jwt", "application/at+jwt"];

/** What only ID tokens have (OpenID Connect Core section 2). */
const id_token_claims = ["nonce", "at_hash", "c_hash"];

/**
 * The issuer a token says it is from, without any check; undefined for what is no signed token.
 * It only says whose keys to check it with.
 */
export function claimedIssuer(token: string): Result<string, CredentialProblem> | undefined {
	if (!looksSigned(token)) return undefined;
	try {
		decodeProtectedHeader(token);
		const { iss } = decodeJwt(token);
		if (typeof iss === "string") return succeed(iss);
		return fail(credentialProblem("token_claims", "iss is missing"));
	} catch (error) {
		return fail(credentialProblem("token_malformed", messageOf(error)));
	}
}

/** Three parts with two dots (RFC 7515 section 7.1); the last may be empty in an unsigned one. */
function looksSigned(token: string): boolean {
	const first = token.indexOf(".");
	return first > 0 && token.indexOf(".", first + 1) > 0;
}

/**
 * Checks a signed access token (RFC 9068 section 4, RFC 8725): its type, the algorithm against the
 * allowed ones, the signature with a key of the issuer, the issuer and the times. Whom it was
 * issued for is the caller's to check.
 */
export async function verifyJwt(
	token: string,
	rules: IssuerRules,
	find: FindKey,
	now_ms: number,
): Promise<Result<JWTPayload, CredentialProblem>> {
	try {
		const { payload, protectedHeader } = await jwtVerify(token, find, {
			issuer: rules.issuer,
			algorithms: [...rules.algorithms],
			clockTolerance: skew_s,
			currentDate: new Date(now_ms),
			requiredClaims: ["exp", "aud"],
		});
		const type_problem = typeProblem(protectedHeader.typ, payload, rules);
		if (type_problem !== undefined) return fail(credentialProblem("token_type", type_problem));
		return succeed(payload);
	} catch (error) {
		return fail(credentialProblem(codeOf(error), `${rules.issuer}: ${messageOf(error)}`));
	}
}

/** What a token is instead of an access token; undefined where it is one. */
function typeProblem(
	typ: string | undefined,
	payload: JWTPayload,
	{ token_types, issuer }: IssuerRules,
): string | undefined {
	const type = typ?.toLowerCase();
	if (type !== undefined && access_token_types.includes(type)) return undefined;
	const shown = typ === undefined ? "no typ" : `typ "${typ.slice(0, 64)}"`;
	if (token_types === "at+jwt") {
		return `${shown} instead of "at+jwt"; if ${issuer} marks access tokens so, set \`types: any\``;
	}
	if (type !== undefined && type !== "jwt") return `${shown} is no access token`;
	const found = id_token_claims.find((name) => Object.hasOwn(payload, name));
	return found === undefined ? undefined : `it has the claim "${found}" of an ID token`;
}

/** Which refusal an error is. Keys that are none fail in whatever way the machine has for it. */
function codeOf(error: unknown): CredentialCode {
	if (error instanceof KeysUnavailable) return "issuer_unavailable";
	if (error instanceof errors.JWTExpired) return "token_expired";
	if (error instanceof errors.JWTClaimValidationFailed) {
		if (error.claim === "nbf") return "token_not_yet_valid";
		if (error.claim === "iss") return "token_issuer";
		return error.claim === "aud" ? "token_audience" : "token_claims";
	}
	if (error instanceof errors.JOSEAlgNotAllowed) return "token_algorithm";
	if (error instanceof errors.JWSSignatureVerificationFailed) return "token_signature";
	if (error instanceof errors.JWKSNoMatchingKey) return "token_key";
	if (error instanceof errors.JWKSMultipleMatchingKeys) return "token_key";
	if (error instanceof errors.JOSENotSupported) return "token_algorithm";
	if (error instanceof errors.JOSEError || error instanceof TypeError) return "token_malformed";
	return "token_key";
}
