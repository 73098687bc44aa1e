import type { IncomingHttpHeaders } from "node:http";

/**
 * Cross-origin rules for browser clients (Fetch standard, CORS protocol). Only an origin the
 * guard allows ever gets here; nothing is answered with a wildcard.
 */

const allowed_headers = new Set([
	"authorization",
	"content-type",
	"dpop",
	"accept",
	"last-event-id",
	"mcp-protocol-version",
	"mcp-session-id",
	"mcp-method",
	"mcp-name",
]);
const param_header = /^mcp-param-[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const requested_headers_max = 64;
const exposed_headers =
	"Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, DPoP-Nonce, Retry-After";
const preflight_age_s = 600;

/** Headers for any answer to a request that carries an allowed `Origin`. */
export function corsHeaders(origin: string): Record<string, string> {
	return {
		"access-control-allow-origin": origin,
		"access-control-expose-headers": exposed_headers,
		vary: "Origin",
	};
}

/** Headers for the answer to a preflight: exactly the asked-for headers that are allowed. */
export function preflightHeaders(
	origin: string,
	headers: IncomingHttpHeaders,
): Record<string, string> {
	const asked = (headers["access-control-request-headers"] ?? "")
		.split(",", requested_headers_max)
		.map((name) => name.trim().toLowerCase())
		.filter((name) => allowed_headers.has(name) || param_header.test(name));
	return {
		"access-control-allow-origin": origin,
		"access-control-allow-methods": "POST, GET, DELETE",
		...(asked.length === 0 ? {} : { "access-control-allow-headers": asked.join(", ") }),
		"access-control-max-age": String(preflight_age_s),
		vary: "Origin, Access-Control-Request-Headers",
	};
}
