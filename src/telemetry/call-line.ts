import type { CallRecord } from "./call-record.ts";

/**
 * One line of the call log: docs/call-log.schema.json says what each member means. Every member is
 * in every line; what does not apply is null. There is nothing of a payload in it.
 */
export interface CallLine {
	/** Time of the call's end, as ISO 8601 in UTC. */
	readonly ts: string;
	readonly service: "moorage";
	readonly id: string;
	readonly tenant_id: string;
	readonly user: string;
	readonly client_id: string | null;
	readonly client_name: string;
	readonly client_version: string;
	readonly session_id: string | null;
	readonly endpoint: string;
	readonly server: string | null;
	readonly version: string | null;
	readonly instance: string | null;
	readonly method: string;
	/** Of `tools/call`. */
	readonly tool: string | null;
	/** Prompt name or uri, of other methods. */
	readonly name: string | null;
	readonly status: CallRecord["status"];
	readonly code: string | null;
	readonly error: string | null;
	readonly error_id: string | null;
	readonly duration_ms: number;
	readonly queue_ms: number;
	readonly wake_ms: number;
	readonly upstream_ms: number;
	readonly policy_ms: number;
	readonly approval_ms: number;
	readonly decision: string | null;
	readonly rule: string | null;
	readonly approval_id: string | null;
	readonly risk: string | null;
	readonly input_bytes: number;
	readonly output_bytes: number;
	readonly input_hash: string;
	readonly request_id: string;
	readonly trace_id: string;
	readonly span_id: string;
	readonly parent_span_id: string | null;
	readonly client_revision: string;
	readonly client_era: "legacy" | "modern";
	readonly upstream_revision: string | null;
	readonly upstream_era: "legacy" | "modern" | null;
}

/** Longest text a client or a server chose that stands in a line. */
export const text_chars_max = 512;

/**
 * The line of a call, without its newline. `safe` takes secrets out of what others wrote. The same
 * record gives the same line to whoever asks next, so that it is made once for all evidence.
 *
 * It is put together by hand, from parts that are known from calls before: this runs for every
 * call, and takes a third of the time of `JSON.stringify`.
 */
export function callLine(record: CallRecord, safe: (text: string) => string): string {
	if (record === last_record) return last_line;
	const { error_message } = record;
	const error = error_message === undefined ? "null" : JSON.stringify(safe(cut(error_message)));
	const outcome =
		record.status === "ok"
			? plain_outcome
			: `"status":"${record.status}","code":${quote(record.code)},"error":${error},` +
				`"error_id":${quote(record.error_id)}`;
	last_line =
		`{"ts":"${isoTime(record.ts_ms + record.duration_ms)}","service":"moorage",` +
		`"id":"${record.id}",${partOf(record, who_parts, whoOf, safe)},` +
		`${partOf(record, what_parts, whatOf, safe)},${outcome},` +
		`"duration_ms":${micros(record.duration_ms)},${waitsOf(record)},` +
		`"upstream_ms":${micros(record.upstream_ms)},"policy_ms":${micros(record.policy_ms)},` +
		`${decisionOf(record)},"input_bytes":${record.input_bytes},` +
		`"output_bytes":${record.output_bytes},"input_hash":"${record.inputHash()}",` +
		`"request_id":${quote(record.request_id)},"trace_id":"${record.trace_id}",` +
		`"span_id":"${record.span_id}","parent_span_id":${quote(record.parent_span_id)}}`;
	// Looked into, it becomes one piece of memory; whoever copies it then copies one.
	last_line.charCodeAt(0);
	last_record = record;
	return last_line;
}

let last_record: CallRecord | undefined;
let last_line = "";

const plain_outcome = '"status":"ok","code":null,"error":null,"error_id":null';

function waitsOf({ queue_ms, wake_ms, approval_ms }: CallRecord): string {
	if (queue_ms === 0 && wake_ms === 0 && approval_ms === 0) return no_waits;
	return (
		`"queue_ms":${micros(queue_ms)},"wake_ms":${micros(wake_ms)},` +
		`"approval_ms":${micros(approval_ms)}`
	);
}

const no_waits = '"queue_ms":0,"wake_ms":0,"approval_ms":0';

function decisionOf({ decision, rule, approval_id }: CallRecord): string {
	if (decision === "allow" && rule === undefined && approval_id === undefined) return plain_allow;
	return `"decision":${quote(decision)},"rule":${quote(rule)},"approval_id":${quote(approval_id)}`;
}

const plain_allow = '"decision":"allow","rule":null,"approval_id":null';

/** A part of a line that many calls have in common, and the record it was made of. */
interface Part {
	readonly record: CallRecord;
	readonly text: string;
}

/** How a part is made, what it is found by, and whether it is the same for two records. */
interface PartKind {
	key(record: CallRecord): string;
	isSame(left: CallRecord, right: CallRecord): boolean;
	make(record: CallRecord, safe: (text: string) => string): string | undefined;
}

const parts_max = 2_000;
const who_parts = new Map<string, Part>();
const what_parts = new Map<string, Part>();

function partOf(
	record: CallRecord,
	parts: Map<string, Part>,
	kind: PartKind,
	safe: (text: string) => string,
): string {
	const key = kind.key(record);
	const known = parts.get(key);
	if (known !== undefined && kind.isSame(known.record, record)) return known.text;
	const text = kind.make(record, safe);
	if (text === undefined) return whatText(record, safe(cut(record.name ?? "")));
	if (parts.size >= parts_max) parts.clear();
	text.charCodeAt(0);
	// A plain copy: the record itself would keep its payloads in memory.
	parts.set(key, { record: { ...record, request: none, reply: nothing, inputHash: empty }, text });
	return text;
}

const none = () => Buffer.alloc(0);
const nothing = () => undefined;
const empty = () => "";

/** Who called, with what, at which address. */
const whoOf: PartKind = {
	key: (record) => record.session_id ?? record.principal,
	isSame: (left, right) =>
		left.tenant === right.tenant &&
		left.user === right.user &&
		left.client_id === right.client_id &&
		left.client_name === right.client_name &&
		left.client_version === right.client_version &&
		left.session_id === right.session_id &&
		left.endpoint === right.endpoint &&
		left.client_revision === right.client_revision &&
		left.client_era === right.client_era,
	make: (record) =>
		`"tenant_id":${quote(record.tenant)},"user":${quote(record.user)},` +
		`"client_id":${quote(record.client_id)},"client_name":${quote(record.client_name)},` +
		`"client_version":${quote(record.client_version)},"session_id":${quote(record.session_id)},` +
		`"client_revision":${quote(record.client_revision)},"client_era":"${record.client_era}",` +
		`"endpoint":${quote(record.endpoint)}`,
};

/** What was called. */
const whatOf: PartKind = {
	key: (record) => record.name ?? record.method,
	isSame: (left, right) =>
		left.server === right.server &&
		left.version === right.version &&
		left.instance === right.instance &&
		left.method === right.method &&
		left.name === right.name &&
		left.risk === right.risk &&
		left.upstream_revision === right.upstream_revision &&
		left.upstream_era === right.upstream_era,
	make(record, safe) {
		const { name } = record;
		if (name === undefined) return whatText(record, undefined);
		// A name with a secret in it is not kept, and neither is a uri: it may have one that is
		// learned later.
		return !name.includes(":") && safe(cut(name)) === name ? whatText(record, name) : undefined;
	},
};

function whatText(record: CallRecord, name: string | undefined): string {
	const is_tool = record.method === "tools/call";
	const named = quote(name);
	return (
		`"server":${quote(record.server)},"version":${quote(record.version)},` +
		`"instance":${quote(record.instance)},"method":${quote(record.method)},` +
		`"tool":${is_tool ? named : "null"},"name":${is_tool ? "null" : named},` +
		`"risk":${quote(record.risk)},"upstream_revision":${quote(record.upstream_revision)},` +
		`"upstream_era":${quote(record.upstream_era)}`
	);
}

/** Quoted texts that were asked for lately. */
const quoted = new Map<string, string>();
const quoted_max = 4_000;
/** A longer text is hardly asked for twice. */
const quoted_chars_max = 64;

function quote(text: string | undefined): string {
	if (text === undefined) return "null";
	const known = quoted.get(text);
	if (known !== undefined) return known;
	const made = JSON.stringify(cut(text));
	if (text.length <= quoted_chars_max) {
		if (quoted.size >= quoted_max) quoted.clear();
		quoted.set(text, made);
	}
	return made;
}

/** The second whose ISO form is known. */
let second = Number.NaN;
let second_text = "";

function isoTime(at_ms: number): string {
	const whole_ms = Math.floor(at_ms);
	const at_second = Math.floor(whole_ms / 1000);
	if (at_second !== second) {
		second = at_second;
		second_text = new Date(at_second * 1000).toISOString().slice(0, -4);
	}
	const rest_ms = whole_ms - at_second * 1000;
	return `${second_text}${rest_ms < 10 ? "00" : rest_ms < 100 ? "0" : ""}${rest_ms}Z`;
}

function cut(text: string): string {
	return text.length <= text_chars_max ? text : `${text.slice(0, text_chars_max - 1)}…`;
}

/** Milliseconds to the microsecond. */
function micros(duration_ms: number): number {
	return Math.round(duration_ms * 1000) / 1000;
}
