/**
 * The HTTP headers of the modern revision (SEP-2243): how a value travels in one, and how a
 * header is compared with the body it mirrors.
 */

export const header_names = {
	protocol_version: "mcp-protocol-version",
	method: "mcp-method",
	name: "mcp-name",
	session_id: "mcp-session-id",
	last_event_id: "last-event-id",
	param_prefix: "mcp-param-",
} as const;

const sentinel_prefix = "=?base64?";
const sentinel_suffix = "?=";
const canonical_base64 =
	/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?$/;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * A value as it may stand in `Mcp-Name` or `Mcp-Param-*`: as it is when it is visible ASCII,
 * else as base64 between sentinels. A value that looks like the sentinel is encoded too.
 */
export function encodeHeaderValue(value: string): string {
	const plain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value);
	if (plain && !(value.startsWith(sentinel_prefix) && value.endsWith(sentinel_suffix))) {
		return value;
	}
	return `${sentinel_prefix}${Buffer.from(value, "utf8").toString("base64")}${sentinel_suffix}`;
}

/** The value behind a header, or undefined when its sentinel holds no valid base64 or UTF-8. */
export function decodeHeaderValue(header: string): string | undefined {
	const value = trimOptionalWhitespace(header);
	const encoded = value.startsWith(sentinel_prefix) && value.endsWith(sentinel_suffix);
	if (!encoded || value.length < sentinel_prefix.length + sentinel_suffix.length) return value;
	const base64 = value.slice(sentinel_prefix.length, -sentinel_suffix.length);
	if (!canonical_base64.test(base64)) return undefined;
	try {
		return utf8.decode(Buffer.from(base64, "base64"));
	} catch {
		return undefined;
	}
}

/** Removes spaces and tabs around a field value (RFC 9110 section 5.5). */
export function trimOptionalWhitespace(value: string): string {
	let start = 0;
	let end = value.length;
	while (start < end && isBlank(value.charCodeAt(start))) start += 1;
	while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
	return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
	return code === 0x20 || code === 0x09;
}

/** The member of `params` that `Mcp-Name` mirrors, by method; undefined when there is none. */
export function nameSource(method: string): "name" | "uri" | "taskId" | undefined {
	switch (method) {
		case "tools/call":
		case "prompts/get":
			return "name";
		case "resources/read":
			return "uri";
		case "tasks/get":
		case "tasks/update":
		case "tasks/cancel":
			return "taskId";
		default:
			return undefined;
	}
}
