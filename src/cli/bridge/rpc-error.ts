import { type FaultCode, fault_meta_key, fault_rpc_codes } from "../../protocol/fault.ts";
import { composeError } from "../../wire/compose.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, rawText, readJson, readString } from "../../wire/object.ts";
import type { LinkProblem } from "./link.ts";

/** Longest text of a foreign answer that is quoted. */
const quote_chars_max = 200;

/** The error for a request that got no answer from a gateway. */
export function linkError(id: string, problem: LinkProblem): Buffer {
	return faultError(id, "gateway_stopping", problem.detail, problem.kind === "absent");
}

/** The error for a stream that ended before the answer came. */
export function streamEndError(id: string): Buffer {
	const message =
		"The Moorage gateway went away while it answered; whether the request was carried out is " +
		"unknown.";
	return faultError(id, "gateway_stopping", message, false);
}

function faultError(id: string, code: FaultCode, message: string, retry_safe: boolean): Buffer {
	const data = JSON.stringify({ [fault_meta_key]: { code, retry_safe } });
	return composeError(id, fault_rpc_codes[code], message, data);
}

/**
 * The error for an HTTP answer that refuses a request: the JSON-RPC error in its body with the
 * request's own id, which the gateway may not have been able to tell, or the body in words.
 */
export function refusalError(id: string, status: number, body: Buffer): Buffer {
	const indexed = indexMessage(body);
	if (indexed.ok && indexed.value.error !== undefined) return withId(indexed.value, id);
	const said = plainReason(body);
	const message = `The Moorage gateway answered with HTTP status ${status}${said}`;
	return faultError(id, "internal", message, false);
}

function withId(message: Message, id: string): Buffer {
	const { bytes, error } = message;
	const code = readJson(bytes, memberSpan(error, "code"));
	const text = readString(bytes, memberSpan(error, "message")) ?? "";
	const data = memberSpan(error, "data");
	const raw = data === undefined ? undefined : rawText(bytes, data);
	return composeError(id, typeof code === "number" ? code : fault_rpc_codes.internal, text, raw);
}

/** What the gateway says where it does not speak JSON-RPC: `{"error", "message"}`. */
function plainReason(body: Buffer): string {
	try {
		const { message } = JSON.parse(body.toString("utf8")) as { message?: unknown };
		if (typeof message === "string") return `: ${message.slice(0, quote_chars_max)}`;
	} catch {
		// Not JSON: the status has to do.
	}
	return ".";
}
