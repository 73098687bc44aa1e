import { rpc_codes } from "../../protocol/codes.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { rawText } from "../../wire/object.ts";
import { readHandshakeError } from "../handshake.ts";
import type { HttpSession } from "./headers.ts";

/** A JSON-RPC error in the body of an HTTP refusal. */
export interface Refusal {
	readonly message: Message;
	readonly code: number;
	readonly text: string;
	/** True when it is the reply to the request, and not about the connection. */
	readonly is_reply: boolean;
}

/** Codes with which a modern server refuses a request whose id it may not have read. */
const modern_codes = new Set<number>([
	rpc_codes.parse_error,
	rpc_codes.invalid_request,
	rpc_codes.method_not_found,
	rpc_codes.invalid_params,
	rpc_codes.header_mismatch,
	rpc_codes.missing_client_capability,
	rpc_codes.unsupported_protocol_version,
]);

/** Reads the body of a refusal of the request `id`; undefined when it is no JSON-RPC error. */
export function readRefusal(body: Buffer, id: number): Refusal | undefined {
	const indexed = indexMessage(body);
	if (!indexed.ok) return undefined;
	const message = indexed.value;
	const error = readHandshakeError(message);
	if (error === undefined) return undefined;
	const named = message.id === undefined ? "null" : rawText(message.bytes, message.id);
	const is_reply = named === String(id) || (named === "null" && modern_codes.has(error.code));
	return { message, code: error.code, text: error.message, is_reply };
}

/**
 * True when a server says that it does not know the session (transports, session management:
 * HTTP 404). Many servers answer 400 instead and say so in the error's text only.
 */
export function isSessionLost(
	status: number,
	error: Refusal | undefined,
	session: HttpSession,
): boolean {
	if (session.era !== "legacy" || session.id === undefined) return false;
	if (status === 404) return error?.code !== rpc_codes.method_not_found;
	return status === 400 && error !== undefined && /\bsession\b/i.test(error.text);
}
