import { rpc_codes } from "../../protocol/codes.ts";
import { memberSpan, readJson, readName } from "../../wire/object.ts";
import { completeReplyEdits, legacyReplyEdits, modernReplyEdits } from "../bridge/reply-edits.ts";
import { canElicitUrl, urlQuestions } from "../bridge/url-elicitation.ts";
import { type Call, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { requestDigest } from "../parking/seal.ts";

/** Complaints of a modern server about the hop to it: the gateway's affair, not the client's. */
const other_hop_codes: ReadonlySet<unknown> = new Set([
	rpc_codes.header_mismatch,
	rpc_codes.missing_client_capability,
	rpc_codes.unsupported_protocol_version,
]);

/** Carries the server's reply back into the era the client speaks. */
export function translateReply(call: Call, reply: Reply, context: GatewayContext): Reply {
	if (reply.kind !== "message") return reply;
	const hello = call.lease?.upstream.hello;
	if (hello === undefined) return reply;
	const { message } = reply;
	if (hello.era === call.client.era) {
		if (hello.era === "modern") reply.edits.push(...completeReplyEdits(message, call.method));
		return reply;
	}
	if (call.client.era === "modern") {
		const questions = urlQuestions(message);
		if (questions !== undefined) return askToVisit(call, questions, context);
		reply.edits.push(...modernReplyEdits(message, call.method, hello.server_info));
		return reply;
	}
	const code = readJson(message.bytes, memberSpan(message.error, "code"));
	if (other_hop_codes.has(code)) return notSupported(call, context, `code ${String(code)}`);
	const type = readName(message.bytes, memberSpan(message.result, "resultType"));
	if (type !== undefined && type !== "complete") {
		return notSupported(call, context, `resultType ${type}`);
	}
	reply.edits.push(...legacyReplyEdits(message));
	return reply;
}

/** The same request again, once the person has been there: nothing is parked meanwhile. */
function askToVisit(call: Call, questions: string, context: GatewayContext): Reply {
	if (!canElicitUrl(call.client.capabilities)) {
		const text = "The server needs the person to visit a URL first";
		const requiredCapabilities = { elicitation: { url: {} } };
		return rpcError(rpc_codes.missing_client_capability, text, { requiredCapabilities });
	}
	const params = readJson(call.message.bytes, call.message.params?.span);
	const request = requestDigest(call.endpoint.name, call.method, params);
	const state = context.parked.sealRetry({ principal: call.client.principal, request });
	const json =
		`{"resultType":"input_required","inputRequests":${questions},` +
		`"requestState":${JSON.stringify(state)}}`;
	return { kind: "result", json };
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
