import type { AuthorizationServer } from "oauth4webapi";
import type { OAuthService } from "../../../config/oauth-service.ts";

/** Longest token answer of a service that is looked into; `guardedFetch` reads no more anyway. */
const answer_chars_max = 256 * 1024;

/** The authorization server of a service whose metadata is not asked for; undefined for others. */
export function knownServer(service: OAuthService | undefined): AuthorizationServer | undefined {
	if (service?.endpoints === undefined) return undefined;
	const { issuer, endpoints, client_auth, pkce } = service;
	return {
		issuer,
		authorization_endpoint: endpoints.authorization,
		token_endpoint: endpoints.token,
		...(endpoints.revocation !== undefined && { revocation_endpoint: endpoints.revocation }),
		...(client_auth !== undefined && { token_endpoint_auth_methods_supported: [client_auth] }),
		...(pkce !== "ignored" && { code_challenge_methods_supported: ["S256"] }),
	};
}

/** What the address of a page says of scopes and of whatever else the service wants. */
export function pageParameters(
	service: OAuthService | undefined,
	scopes: readonly string[],
): Record<string, string> {
	const { scope_parameter = "scope", scope_separator = " " } = service ?? {};
	return {
		...service?.authorization_parameters,
		...(scopes.length > 0 && { [scope_parameter]: scopes.join(scope_separator) }),
	};
}

/**
 * Whether an answer that names `iss` comes from the issuer (RFC 9207). An issuer that stands for
 * several tenants names the one that it was.
 */
export function isFrom(iss: string, issuer: string, service: OAuthService | undefined): boolean {
	if (iss === issuer) return true;
	const form = service?.issuer_form;
	if (form === undefined || uuid.test(issuer)) return false;
	const [before = "", after = ""] = form.split("{tenantid}");
	const tenant = iss.slice(before.length, iss.length - after.length);
	return iss === `${before}${tenant}${after}` && only_uuid.test(tenant);
}

const uuid_form = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const uuid = new RegExp(`/${uuid_form}/`, "i");
const only_uuid = new RegExp(`^${uuid_form}$`, "i");

/** A token request as the service wants it: its body, and of what kind that is. */
export function tokenRequestOf(
	service: OAuthService | undefined,
	form: URLSearchParams,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
	if (service?.token_body !== "json") return { body: form.toString(), headers: {} };
	const body = JSON.stringify(Object.fromEntries(form));
	return { body, headers: { "content-type": "application/json" } };
}

/** A token answer of the service, as RFC 6749 section 5 has it. */
export async function standardAnswer(
	service: OAuthService | undefined,
	answer: Response,
): Promise<Response> {
	if (service === undefined) return answer;
	const text = await answer.text();
	const said = text.length > answer_chars_max ? undefined : membersOf(text);
	const headers = { "content-type": "application/json" };
	if (said === undefined) return new Response(text, { status: answer.status, headers });
	const code = errorOf(said);
	if (code !== undefined) {
		const error = service.error_codes?.[code] ?? code;
		const status = answer.status < 400 ? 400 : answer.status;
		return Response.json({ error }, { status, headers });
	}
	return Response.json(tokenOf(said, service), { status: answer.status, headers });
}

type Members = Readonly<Record<string, unknown>>;

/** JSON, or a form as some answer by default. */
function membersOf(text: string): Members | undefined {
	try {
		const value: unknown = JSON.parse(text);
		const is_map = typeof value === "object" && value !== null && !Array.isArray(value);
		return is_map ? (value as Members) : undefined;
	} catch {
		return /^[\w.]+=[^<>\s]*$/.test(text)
			? Object.fromEntries(new URLSearchParams(text))
			: undefined;
	}
}

function errorOf({ error, ok }: Members): string | undefined {
	if (typeof error === "string" && error !== "") return error;
	return ok === false ? "invalid_request" : undefined;
}

function tokenOf(said: Members, { token_at, token_types }: OAuthService): Members {
	const nested = token_at === undefined ? undefined : said[token_at];
	const has_token = typeof nested === "object" && nested !== null && "access_token" in nested;
	const {
		id_token: _,
		token_type,
		expires_in,
		scope,
		...token
	} = (has_token ? nested : said) as Members;
	const is_bearer =
		token_type === undefined || token_types?.some((one) => one === token_type) === true;
	const seconds = typeof expires_in === "string" ? Number(expires_in) : expires_in;
	return {
		...token,
		token_type: is_bearer ? "bearer" : token_type,
		...(typeof seconds === "number" && seconds > 0 && { expires_in: seconds }),
		...(typeof scope === "string" && { scope }),
	};
}
