import { assert } from "../../lib/assert.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { needsInput, playRounds } from "../bridge/rounds.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { acquireInstance } from "./acquire-instance.ts";
import { forwardNotification } from "./forward-notification.ts";

/**
 * The one step that leaves the house. A request the server provably never saw is sent once
 * more to the next instance; anything else is answered with what is known, never repeated.
 */
export async function sendUpstream(call: Call, context: GatewayContext): Promise<Reply> {
	const reply = await sendOnceMore(call, context);
	if (call.client.era === "modern" || !needsInput(reply)) return reply;
	return playRounds(call, reply, context, (message, edits) => send(call, message, edits));
}

async function sendOnceMore(call: Call, context: GatewayContext): Promise<Reply> {
	const first = await send(call, call.message, call.edits);
	if (first.kind !== "fault" || !first.fault.retry_safe) return first;
	if (first.fault.code !== "server_exited" || call.signal.aborted) return first;
	call.lease?.release();
	call.lease = undefined;
	const refused = await acquireInstance(call, context);
	return refused ?? send(call, call.message, call.edits);
}

async function send(call: Call, message: Message, edits: readonly Edit[]): Promise<Reply> {
	const { lease, target } = call;
	assert(lease !== undefined && target !== undefined, "a call needs an instance to be sent");
	const outcome = await lease.upstream.request({
		message,
		edits,
		name: target.name,
		signal: call.signal,
		call_ms: target.server.timeouts.call_ms,
		...(call.param_headers === undefined ? {} : { headers: call.param_headers }),
		onNotification: (notification) => forwardNotification(call, notification),
		onRequest: (ask) => call.sink.ask(ask),
	});
	if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
	return { kind: "message", message: outcome.value, edits: [] };
}
