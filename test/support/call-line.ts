import { SharedSlots } from "../../src/lib/shared-slots.ts";
import type { TimedLine } from "../../src/telemetry/call-line.ts";
import type { CallRecord } from "../../src/telemetry/call-record.ts";
import type { LineRedactor } from "../../src/telemetry/line-text.ts";
import { CallBatch } from "../../src/telemetry/packed/call-batch.ts";
import { LineWriter } from "../../src/telemetry/packed/line-writer.ts";
import { packCall } from "../../src/telemetry/packed/pack-call.ts";
import { UnpackedCall, unpackCalls } from "../../src/telemetry/packed/unpack-calls.ts";

/** Takes nothing out of anything. */
export const as_it_is: LineRedactor = { text: (text) => text };

/** A call as a thread has it. */
function unpacked(record: CallRecord, redactor: LineRedactor): UnpackedCall {
	const batch = new CallBatch(new SharedSlots(1_000, 0), 1);
	batch.add(packCall(record, redactor));
	const [call] = unpackCalls(batch.message());
	if (!(call instanceof UnpackedCall)) throw new Error("a call is a call");
	return call;
}

/** The members of a line as a text. */
export function membersOf(call: UnpackedCall): string {
	const bytes = Buffer.alloc(call.bytes_max);
	const writer = new LineWriter(bytes, 0);
	call.writeMembers(writer);
	if (writer.at > bytes.length) throw new Error("a line takes no more than it says");
	return bytes.toString("utf8", 0, writer.at);
}

/** The line of a call as a text. */
export function lineText(record: CallRecord, redactor = as_it_is): string {
	return `{${membersOf(unpacked(record, redactor))}}`;
}

/** The same as members, and when the call began: what becomes a row and a trace. */
export function timedLine(record: CallRecord, redactor = as_it_is): TimedLine {
	return unpacked(record, redactor).line();
}
