import { assert } from "../lib/assert.ts";
import type { Call, Reply } from "./call.ts";
import type { GatewayContext } from "./context.ts";
import { recordOf } from "./recording.ts";
import { acquireInstance } from "./steps/acquire-instance.ts";
import { answerApprovalTask } from "./steps/answer-approval-task.ts";
import { answerLocally } from "./steps/answer-locally.ts";
import { checkLengths } from "./steps/check-lengths.ts";
import { checkOffered } from "./steps/check-offered.ts";
import { checkParamHeaders } from "./steps/check-param-headers.ts";
import { continueTrace } from "./steps/continue-trace.ts";
import { decide } from "./steps/decide.ts";
import { filterList } from "./steps/filter-list.ts";
import { findTarget } from "./steps/find-target.ts";
import { holdTask } from "./steps/hold-task.ts";
import { matchLogLevel } from "./steps/match-log-level.ts";
import { recordIntent } from "./steps/record-intent.ts";
import { redactReply } from "./steps/redact-reply.ts";
import { restoreNames } from "./steps/restore-names.ts";
import { sendUpstream } from "./steps/send-upstream.ts";
import { translateReply } from "./steps/translate-reply.ts";
import { translateRequest } from "./steps/translate-request.ts";

/** One thing done to a call on its way. A reply ends the way early. */
export type Step = (
	call: Call,
	context: GatewayContext,
) => Reply | undefined | Promise<Reply | undefined>;

/** One thing done to a server's reply on its way back. */
export type ReplyStep = (call: Call, reply: Reply, context: GatewayContext) => Reply;

/** The way of one call, in order. */
export const steps: readonly Step[] = [
	checkLengths,
	answerLocally,
	findTarget,
	answerApprovalTask,
	checkOffered,
	decide,
	checkParamHeaders,
	acquireInstance,
	matchLogLevel,
	continueTrace,
	translateRequest,
	recordIntent,
	sendUpstream,
];

/** The way back, in order. */
export const reply_steps: readonly ReplyStep[] = [
	redactReply,
	filterList,
	holdTask,
	restoreNames,
	translateReply,
];

/**
 * Runs a call to its one reply, which is recorded before anybody sees it. Never rejects; the
 * lease is given back whatever happens.
 */
export async function runCall(call: Call, context: GatewayContext): Promise<Reply> {
	let reply: Reply | undefined;
	try {
		// By their places: to take them one by one makes an object for each, here where things wait.
		for (let at = 0; reply === undefined; at += 1) {
			const step = steps[at];
			assert(step !== undefined, `no step answered ${call.method}`);
			const outcome = step(call, context);
			// Most steps are synchronous: awaiting them too would cost a turn of the loop each.
			reply = outcome instanceof Promise ? await outcome : outcome;
		}
		reply = onTheWayBack(call, reply, context);
	} catch (error) {
		reply = { kind: "fault", fault: context.defect(error, call) };
	} finally {
		call.lease?.release();
		call.lease = undefined;
		context.running.delete(call);
		endChecks(call, context);
	}
	if (call.notes.claimed !== undefined) await tellApproval(call, reply, context);
	const recorded = recordCall(call, reply, context);
	if (recorded !== undefined) await recorded;
	return reply;
}

/** Before the reply is seen: whoever has it may trust that the call is not made a second time. */
async function tellApproval(call: Call, reply: Reply, context: GatewayContext): Promise<void> {
	try {
		await context.approvals?.ended(call, reply, context);
	} catch (error) {
		// It stays a call that runs, and becomes one of unknown fate: it is never repeated.
		context.defect(error, call);
	}
}

/**
 * Hands the record of a call to whoever keeps evidence, before anybody sees its reply; a promise
 * says that they need a moment. Edges that answer a request themselves call it too.
 */
export function recordCall(
	call: Call,
	reply: Reply,
	context: GatewayContext,
): Promise<unknown> | undefined {
	if (context.evidence.length === 0) return undefined;
	const made = unbroken(call, context, () => recordOf(call, reply, context));
	if (made === undefined) return undefined;
	let waiting: Promise<void> | undefined;
	for (const keeper of context.evidence) {
		const pending = unbroken(call, context, () => keeper.after?.(made));
		if (pending === undefined) continue;
		// Most often one of them waits: `Promise.allSettled` costs three times as much as waiting does.
		const ended = pending.then(nothing, nothing);
		waiting = waiting === undefined ? ended : waiting.then(() => ended);
	}
	return waiting;
}

function nothing(): void {}

/** Evidence that breaks takes neither the reply with it nor what others keep. */
function unbroken<Value>(call: Call, context: GatewayContext, work: () => Value) {
	try {
		return work();
	} catch (error) {
		context.defect(error, call);
		return undefined;
	}
}

/** Checks that count what is in flight hear that it no longer is. */
function endChecks({ notes }: Call, context: GatewayContext): void {
	const { checked, counted_by } = notes;
	if (checked === undefined || counted_by === undefined) return;
	for (const at of counted_by) context.checks[at]?.done?.(checked);
}

function onTheWayBack(call: Call, reply: Reply, context: GatewayContext): Reply {
	const { stopped } = call.notes;
	let current: Reply = stopped === undefined ? reply : { kind: "fault", fault: stopped };
	for (const step of reply_steps) current = step(call, current, context);
	// Drivers and hosting make faults without a log; the client's error id must lead to a line.
	if (current.kind === "fault") context.report(current.fault, context.fieldsOf(call));
	return current;
}
