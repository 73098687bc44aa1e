import type { CallRecord } from "../call-record.ts";
import { decidedPart, whatPart, whoPart } from "../line-parts.ts";
import { type LineRedactor, quoteOnce, safeRequestId, safeText } from "../line-text.ts";
import { at, forms, row_numbers, statuses } from "./layout.ts";

/** A call in the form in which it goes to threads. The next one overwrites it. */
export interface PackedCall {
	/** Its row; the numbers of its parts are for the batch to fill in. */
	readonly numbers: Float64Array;
	/** Its fields. */
	text: string;
	who: string;
	what: string;
	decided: string;
}

/**
 * Packs what the line of a call is made of, without secrets. The same record gives the same to
 * whoever asks next, so that it is made once for all evidence.
 *
 * Threads make lines, rows and spans of it. On the gateway's thread the line alone, put together by
 * hand from parts that are known from calls before, takes several times as long.
 */
export function packCall(record: CallRecord, redactor: LineRedactor): PackedCall {
	if (record === last_record) return last;
	const { numbers } = last;
	numbers[at.start_ms] = record.ts_ms;
	numbers[at.duration_ms] = record.duration_ms;
	numbers[at.queue_ms] = record.queue_ms;
	numbers[at.wake_ms] = record.wake_ms;
	numbers[at.upstream_ms] = record.upstream_ms;
	numbers[at.policy_ms] = record.policy_ms;
	numbers[at.approval_ms] = record.approval_ms;
	numbers[at.audit_ms] = record.audit_ms;
	numbers[at.input_bytes] = record.input_bytes;
	numbers[at.output_bytes] = record.output_bytes;
	const { status, approval_id } = record;
	const is_plain = status === "ok" && approval_id === undefined;
	numbers[at.form] = is_plain ? forms.call : forms.full_call;
	numbers[at.status] = is_plain ? 0 : statuses.indexOf(status);
	const fields = fieldsOf(record, redactor);
	last.text = is_plain
		? fields
		: `${fields}${quoteOnce(approval_id)}\n${wrongOf(record, redactor)}\n`;
	last.who = whoPart(record, redactor);
	last.what = whatPart(record, redactor);
	last.decided = decidedPart(record);
	last_record = record;
	return last;
}

let last_record: CallRecord | undefined;
const last: PackedCall = {
	numbers: new Float64Array(row_numbers),
	...{ text: "", who: "", what: "", decided: "" },
};

function fieldsOf(record: CallRecord, redactor: LineRedactor): string {
	const { id, trace_id, span_id, parent_span_id = "" } = record;
	const request_id = quoteOnce(safeRequestId(record, redactor));
	return `${id}\n${trace_id}${span_id}${record.inputHash()}${parent_span_id}\n${request_id}\n`;
}

function wrongOf(record: CallRecord, redactor: LineRedactor): string {
	if (record.status === "ok") return "";
	const safe = (text: string | undefined) =>
		text === undefined ? "null" : quoteOnce(safeText(text, redactor));
	const [code, error] = [safe(record.code), safe(record.error_message)];
	return `"code":${code},"error":${error},"error_id":${quoteOnce(record.error_id)}`;
}
