import { rpc_codes } from "../../protocol/codes.ts";
import { memberSpan, readJson, readString } from "../../wire/object.ts";
import { legacyReplyEdits, modernReplyEdits } from "../bridge/reply-edits.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/** Complaints a modern server has about the hop to it, which is the gateway's and not the client's. */
const other_hop_codes: ReadonlySet<unknown> = new Set([
	rpc_codes.header_mismatch,
	rpc_codes.missing_client_capability,
	rpc_codes.unsupported_protocol_version,
]);

/** Carries the server's reply back into the era the client speaks. */
export function translateReply(call: Call, reply: Reply, context: GatewayContext): Reply {
	if (reply.kind !== "message") return reply;
	const hello = call.lease?.upstream.hello;
	if (hello === undefined || hello.era === call.client.era) return reply;
	const { message } = reply;
	if (call.client.era === "modern") {
		reply.edits.push(...modernReplyEdits(message, call.method, hello.server_info));
		return reply;
	}
	const code = readJson(message.bytes, memberSpan(message.error, "code"));
	if (other_hop_codes.has(code)) return notSupported(call, context, `code ${String(code)}`);
	const type = readString(message.bytes, memberSpan(message.result, "resultType"));
	if (type !== undefined && type !== "complete") {
		return notSupported(call, context, `resultType ${type}`);
	}
	reply.edits.push(...legacyReplyEdits(message));
	return reply;
}

function notSupported(call: Call, context: GatewayContext, detail: string): Reply {
	const server = call.target?.server.name;
	return {
		kind: "fault",
		fault: context.fault(
			{
				code: "not_supported",
				message:
					`The server "${server}" needs something that protocol revision ` +
					`${call.client.revision} cannot carry. Use a client that speaks a newer revision.`,
				detail,
				level: "warn",
				server,
				retry_safe: false,
			},
			context.fieldsOf(call),
		),
	};
}
