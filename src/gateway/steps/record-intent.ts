import type { CallRecord } from "../../telemetry/call-record.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { recordOf } from "../recording.ts";

/** Methods that only read: nothing is lost when their record comes after them. */
const reading =
	/^(resources\/(read|list|templates\/list)|prompts\/(get|list)|tools\/list|completion\/complete|tasks\/(get|list|result)|ping)$/;

/**
 * What may change the world is written down before its server hears of it, so that after a crash
 * it is known what may have happened. A call that cannot be written down is refused by whoever
 * keeps that evidence.
 */
export function recordIntent(
	call: Call,
	context: GatewayContext,
): undefined | Promise<Reply | undefined> {
	if (context.evidence.length === 0) return undefined;
	const is_reading = isReading(call);
	let waiting: Promise<void>[] | undefined;
	let record: CallRecord | undefined;
	for (const keeper of context.evidence) {
		if (is_reading && keeper.before_reads?.() !== true) continue;
		record ??= recordOf(call, undefined, context);
		const pending = keeper.before?.(record);
		if (pending !== undefined) {
			waiting ??= [];
			waiting.push(pending);
		}
	}
	if (waiting === undefined) return undefined;
	// One alone is waited for as it is: `Promise.all` takes as long again.
	const sole = waiting.length === 1 ? waiting[0] : undefined;
	const written: Promise<unknown> = sole ?? Promise.all(waiting);
	const began_ms = context.clock.monotonic();
	return written.then(
		() => {
			call.notes.audit_ms = context.clock.monotonic() - began_ms;
			return undefined;
		},
		(error: unknown) => {
			call.notes.audit_ms = context.clock.monotonic() - began_ms;
			return refuse(error, call, context);
		},
	);
}

function isReading({ method, notes }: Call): boolean {
	return reading.test(method) || notes.checked?.tool?.risk === "read";
}

function refuse(error: unknown, call: Call, context: GatewayContext): Reply {
	const fault = context.fault(
		{
			code: "evidence_unavailable",
			message:
				"This call was not made, because it could not be written to the audit first. Whoever " +
				"runs this gateway finds the reason in its log.",
			detail: error instanceof Error ? error.message : String(error),
			level: "error",
			server: call.target?.server.name,
			retry_safe: true,
		},
		context.fieldsOf(call),
	);
	return { kind: "fault", fault };
}
