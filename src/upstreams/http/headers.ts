import { encodeHeaderValue, header_names } from "../../protocol/headers.ts";
import type { UpstreamRequest } from "../driver.ts";
import { paramHeaders } from "./param-headers.ts";

/** What a connection has agreed with its server; replaced as a whole when it is renewed. */
export interface HttpSession {
	readonly era: "legacy" | "modern";
	/** Undefined before the handshake of a legacy connection. */
	readonly revision: string | undefined;
	/** The server's session id; legacy servers without state have none. */
	readonly id: string | undefined;
}

/** Headers that belong to the protocol or the connection; a configured one is left out. */
const reserved = new Set<string>([
	"accept",
	"accept-encoding",
	"connection",
	"content-encoding",
	"content-length",
	"content-type",
	"expect",
	"host",
	"keep-alive",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	header_names.protocol_version,
	header_names.method,
	header_names.name,
	header_names.session_id,
	header_names.last_event_id,
]);

/**
 * The configured headers that may be sent, names and values in turn, for every request. A token
 * that is got from an authorization server replaces whatever the configuration says of one.
 */
export function configuredHeaders(
	headers: Readonly<Record<string, string>>,
	has_token = false,
): string[] {
	const list: string[] = [];
	let names_agent = false;
	for (const [name, value] of Object.entries(headers)) {
		const lower = name.toLowerCase();
		if (reserved.has(lower) || lower.startsWith(header_names.param_prefix)) continue;
		if (has_token && lower === "authorization") continue;
		if (lower === "user-agent") names_agent = true;
		list.push(name, value);
	}
	// Some front ends refuse requests that do not say what program sends them.
	return names_agent ? list : [...list, "user-agent", "moorage"];
}

/** The headers of a POST (transports, 2025-11-25 and 2026-07-28). */
export function postHeaders(
	configured: readonly string[],
	session: HttpSession,
	request: UpstreamRequest | undefined,
): string[] {
	const list = [
		...configured,
		"content-type",
		"application/json",
		"accept",
		"application/json, text/event-stream",
	];
	addSession(list, session);
	if (request?.traceparent !== undefined) list.push("traceparent", request.traceparent);
	if (session.era === "legacy" || request === undefined) return list;
	list.push(header_names.method, request.message.method ?? "");
	if (request.name !== undefined) list.push(header_names.name, encodeHeaderValue(request.name));
	list.push(...paramHeaders(request));
	return list;
}

/** The headers of a GET for a stream, and of a DELETE. */
export function streamHeaders(
	configured: readonly string[],
	session: HttpSession,
	last_event_id: string | undefined,
): string[] {
	const list = [...configured, "accept", "text/event-stream"];
	addSession(list, session);
	if (last_event_id !== undefined) list.push(header_names.last_event_id, last_event_id);
	return list;
}

function addSession(list: string[], session: HttpSession): void {
	if (session.revision !== undefined) {
		list.push(header_names.protocol_version, session.revision);
	}
	if (session.id !== undefined) list.push(header_names.session_id, session.id);
}
