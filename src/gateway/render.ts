import { modernHttpStatus, rpc_codes } from "../protocol/codes.ts";
import { type Fault, fault_meta_key, fault_rpc_codes, publicFault } from "../protocol/fault.ts";
import type { Era } from "../protocol/revisions.ts";
import { type Body, editedBody } from "../wire/body.ts";
import { composeError, composeResult, composeResultBody } from "../wire/compose.ts";
import type { Edit } from "../wire/message.ts";
import { memberSpan, readJson } from "../wire/object.ts";
import { replaceSpan } from "../wire/splice.ts";
import type { Reply } from "./call.ts";

/** A reply as it goes out. */
export interface Rendered {
	readonly bytes: Body;
	/** HTTP status for an edge that can still choose it. */
	readonly status: number;
	/** Headers for an edge that can still send them. */
	readonly headers?: Readonly<Record<string, string>> | undefined;
	/** How the call ended, for the log. */
	readonly outcome: "ok" | "tool_error" | "rpc_error" | "fault";
}

/** What a reply is rendered for. */
export interface RenderFor {
	/** The client's request id, raw JSON. */
	readonly id: string;
	readonly method: string;
	readonly era: Era;
}

/** Turns a reply into the bytes this client expects. */
export function renderReply(reply: Reply, to: RenderFor): Rendered {
	switch (reply.kind) {
		case "message":
			return renderMessage(reply, to);
		case "result":
			return { bytes: composeResult(to.id, reply.json), status: 200, outcome: "ok" };
		case "pieces":
			return { bytes: composeResultBody(to.id, reply.json), status: 200, outcome: "ok" };
		case "error":
			return {
				bytes: composeError(to.id, reply.code, reply.message, reply.data),
				status: to.era === "modern" ? modernHttpStatus(reply.code) : 200,
				outcome: "rpc_error",
			};
		case "fault":
			return { ...renderFault(reply.fault, to), ...reply.http };
	}
}

function renderMessage(reply: Extract<Reply, { kind: "message" }>, to: RenderFor): Rendered {
	const { message } = reply;
	const edits: Edit[] = reply.edits;
	if (message.id !== undefined) edits.push(replaceSpan(message.id, to.id));
	const bytes = editedBody(message.bytes, edits);
	if (message.error === undefined) return { bytes, status: 200, outcome: "ok" };
	const code = readJson(message.bytes, memberSpan(message.error, "code"));
	return { bytes, status: relayedStatus(code, to.era), outcome: "rpc_error" };
}

/**
 * The HTTP status of an error that a server made: in-band errors travel on 200, except the two
 * whose status the specification ties to the error itself.
 */
function relayedStatus(code: unknown, era: Era): number {
	if (era === "legacy") return 200;
	if (code === rpc_codes.method_not_found) return 404;
	return code === rpc_codes.missing_client_capability ? 400 : 200;
}

/**
 * A failed tool call is a result the model can read; any other failed request is a JSON-RPC
 * error with a code of our own (tools, error handling).
 */
function renderFault(fault: Fault, to: RenderFor): Rendered {
	const data = JSON.stringify(publicFault(fault));
	if (to.method !== "tools/call") {
		const code = fault_rpc_codes[fault.code];
		return { bytes: composeError(to.id, code, fault.message, data), status: 200, outcome: "fault" };
	}
	const type = to.era === "modern" ? '"resultType":"complete",' : "";
	const text = JSON.stringify(fault.message);
	const json =
		`{${type}"content":[{"type":"text","text":${text}}],"isError":true,` +
		`"_meta":{"${fault_meta_key}":${data}}}`;
	return { bytes: composeResult(to.id, json), status: 200, outcome: "fault" };
}
