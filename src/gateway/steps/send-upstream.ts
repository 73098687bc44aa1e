import { assert } from "../../lib/assert.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { Outcome } from "../../upstreams/pending.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { memberSpan, readJson } from "../../wire/object.ts";
import { unaskable } from "../bridge/askable.ts";
import { needsInput, playRounds } from "../bridge/rounds.ts";
import type { Call, Reply } from "../call.ts";
import { askToConnect, pageFirst } from "../connecting/ask-to-connect.ts";
import type { GatewayContext } from "../context.ts";
import { toolDefinition } from "../local/tool-definition.ts";
import { audienceOf } from "../scope.ts";
import { acquireInstance } from "./acquire-instance.ts";
import { asSeen, forwardNotification } from "./forward-notification.ts";

/**
 * The one step that leaves the house. A request the server provably never saw is sent once
 * more to the next instance; anything else is answered with what is known, never repeated.
 */
export async function sendUpstream(call: Call, context: GatewayContext): Promise<Reply> {
	const began_ms = context.clock.monotonic();
	const before = definitionFor(call, context);
	// Nearly every reply is a result. Each further async function would cost every call.
	const first = answerOf(call, await request(call, call.message, call.edits, context));
	if (call.lease?.report !== undefined) call.lease.report(isSuccess(first));
	const is_result = first.kind === "message" && first.message.error === undefined;
	const reply = is_result ? first : await reconsider(call, first, before, context);
	call.notes.upstream_ms = context.clock.monotonic() - began_ms;
	if (call.client.era === "modern" || !needsInput(reply)) return reply;
	const last = await playRounds(call, reply, context, (message, edits) =>
		send(call, message, edits, context),
	);
	call.notes.upstream_ms = context.clock.monotonic() - began_ms;
	return last;
}

/**
 * Whether a server did its part, as far as a new version of it is judged: it broke, hung, failed
 * inside, or said that the tool failed. Complaints about what the client sent count for it.
 */
function isSuccess(reply: Reply): boolean {
	if (reply.kind === "fault") return reply.fault.code === "call_cancelled";
	if (reply.kind !== "message") return true;
	const { bytes, error, result } = reply.message;
	if (error !== undefined) {
		return readJson(bytes, memberSpan(error, "code")) !== rpc_codes.internal_error;
	}
	return readJson(bytes, memberSpan(result, "isError")) !== true;
}

/** What follows on a first reply that is no result. */
async function reconsider(
	call: Call,
	first: Reply,
	before: Buffer | undefined,
	context: GatewayContext,
): Promise<Reply> {
	const { message, edits } = call;
	const reply = await settleHeaders(call, { message, edits, reply: first, before }, context);
	if (await askToConnect(call, reply, context)) return send(call, message, edits, context);
	const page = pageFirst(call, reply, context);
	if (page !== undefined) return page;
	if (reply.kind !== "fault" || !reply.fault.retry_safe) return reply;
	if (reply.fault.code !== "server_exited" || call.signal.aborted) return reply;
	call.lease?.release();
	call.lease = undefined;
	const refused = await acquireInstance(call, context);
	return refused ?? send(call, message, edits, context);
}

async function send(
	call: Call,
	message: Message,
	edits: readonly Edit[],
	context: GatewayContext,
): Promise<Reply> {
	const before = definitionFor(call, context);
	const reply = await sendOnce(call, message, edits, context);
	return settleHeaders(call, { message, edits, reply, before }, context);
}

/** A request that was sent, its reply, and the tool's definition that its headers are from. */
interface Sent {
	readonly message: Message;
	readonly edits: readonly Edit[];
	readonly reply: Reply;
	readonly before: Buffer | undefined;
}

/**
 * Sends once more where a server says that headers and arguments disagree: it has refused the
 * call before it did anything, and the headers were made from what may be an old definition.
 */
async function settleHeaders(
	call: Call,
	{ message, edits, reply, before }: Sent,
	context: GatewayContext,
): Promise<Reply> {
	const { lease, target } = call;
	assert(lease !== undefined && target !== undefined, "a call needs an instance to be sent");
	if (call.method !== "tools/call" || !isHeaderMismatch(reply)) return reply;
	const audience = audienceOf(context.instanceKey(target.server, call.client));
	await context.catalogs.refresh(target.server, lease.upstream, call.signal, audience);
	const after = definitionFor(call, context);
	const same = after === before || (before !== undefined && after?.equals(before) === true);
	return same || call.signal.aborted ? reply : sendOnce(call, message, edits, context);
}

function definitionFor({ target }: Call, context: GatewayContext): Buffer | undefined {
	return target && toolDefinition(target.server.name, target.name, context);
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
	return answerOf(call, await request(call, message, edits, context));
}

function request(
	call: Call,
	message: Message,
	edits: readonly Edit[],
	context: GatewayContext,
): Promise<Outcome> {
	const { lease, target } = call;
	assert(lease !== undefined && target !== undefined, "a call needs an instance to be sent");
	const { watch } = call;
	watch?.sent(message, edits);
	return lease.upstream.request({
		message,
		edits,
		name: target.name,
		signal: call.signal,
		call_ms: target.server.timeouts.call_ms,
		headers: call.param_headers,
		traceparent: call.traceparent,
		tool_schema: () => toolDefinition(target.server.name, target.name, context),
		backlog: () => call.sink.backlog?.(),
		onNotification(notification) {
			watch?.received(notification);
			forwardNotification(call, notification, context);
		},
		onRequest(ask) {
			watch?.received(ask.message);
			const refused = unaskable(ask.message.method, lease.key.capabilities);
			if (refused !== undefined) {
				context.hosting.noteOddity(target.server.name, refused.text);
				ask.answer({ kind: "error", json: refused.json });
				return;
			}
			lease.noteQuestion();
			call.sink.ask({ ...ask, message: asSeen(call, ask.message, context) });
		},
	});
}

function answerOf({ watch }: Call, outcome: Outcome): Reply {
	if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
	watch?.received(outcome.value);
	return { kind: "message", message: outcome.value, edits: [] };
}
