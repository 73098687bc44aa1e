import { assert } from "../../lib/assert.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { memberSpan, readJson } from "../../wire/object.ts";
import { needsInput, playRounds } from "../bridge/rounds.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { toolDefinition } from "../local/tool-definition.ts";
import { acquireInstance } from "./acquire-instance.ts";
import { forwardNotification } from "./forward-notification.ts";

/**
 * The one step that leaves the house. A request the server provably never saw is sent once
 * more to the next instance; anything else is answered with what is known, never repeated.
 */
export async function sendUpstream(call: Call, context: GatewayContext): Promise<Reply> {
	const reply = await sendOnceMore(call, context);
	if (call.client.era === "modern" || !needsInput(reply)) return reply;
	return playRounds(call, reply, context, (message, edits) => send(call, message, edits, context));
}

async function sendOnceMore(call: Call, context: GatewayContext): Promise<Reply> {
	const first = await send(call, call.message, call.edits, context);
	if (first.kind !== "fault" || !first.fault.retry_safe) return first;
	if (first.fault.code !== "server_exited" || call.signal.aborted) return first;
	call.lease?.release();
	call.lease = undefined;
	const refused = await acquireInstance(call, context);
	return refused ?? send(call, call.message, call.edits, context);
}

/**
 * Sends once more where a server says that headers and arguments disagree: it has refused the
 * call before it did anything, and the headers were made from what may be an old definition.
 */
async function send(
	call: Call,
	message: Message,
	edits: readonly Edit[],
	context: GatewayContext,
): Promise<Reply> {
	const { lease, target } = call;
	assert(lease !== undefined && target !== undefined, "a call needs an instance to be sent");
	const { server, name } = target;
	const before = toolDefinition(server.name, name, context);
	const reply = await sendOnce(call, message, edits, context);
	if (call.method !== "tools/call" || !isHeaderMismatch(reply)) return reply;
	await context.catalogs.refresh(server, lease.upstream, call.signal);
	const after = toolDefinition(server.name, name, context);
	const same = after === before || (before !== undefined && after?.equals(before) === true);
	return same || call.signal.aborted ? reply : sendOnce(call, message, edits, context);
}

function isHeaderMismatch(reply: Reply): boolean {
	if (reply.kind !== "message" || reply.message.error === undefined) return false;
	const { bytes, error } = reply.message;
	return readJson(bytes, memberSpan(error, "code")) === rpc_codes.header_mismatch;
}

async function sendOnce(
	call: Call,
	message: Message,
	edits: readonly Edit[],
	context: GatewayContext,
): Promise<Reply> {
	const { lease, target } = call;
	assert(lease !== undefined && target !== undefined, "a call needs an instance to be sent");
	const outcome = await lease.upstream.request({
		message,
		edits,
		name: target.name,
		signal: call.signal,
		call_ms: target.server.timeouts.call_ms,
		...(call.param_headers === undefined ? {} : { headers: call.param_headers }),
		tool_schema: () => toolDefinition(target.server.name, target.name, context),
		onNotification: (notification) => forwardNotification(call, notification),
		onRequest: (ask) => call.sink.ask(ask),
	});
	if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
	return { kind: "message", message: outcome.value, edits: [] };
}
