import { callLine } from "../telemetry/call-line.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import type { OwnerTuple } from "./messages.ts";

/**
 * The entries of the log that are about calls, as JSON without the closing brace: the worker adds
 * where the payload is. `at_ms` stands near the front, where a segment's age is read from.
 */

/** What is going to be done, before it is. */
export function intentEntry(record: CallRecord, safe: (text: string) => string): string {
	return open({ kind: "intent", at_ms: record.ts_ms, ...aboutOf(record, safe) });
}

/** What became of an intent. */
export function outcomeEntry(record: CallRecord, at_ms: number): string {
	return open({ kind: "outcome", at_ms, call: record.id, ...endOf(record) });
}

/** A call that only reads, or that never reached its server: its line of the call log. */
export function callEntry(record: CallRecord, safe: (text: string) => string): string {
	const line = callLine(record, safe);
	return `{"kind":"call","at_ms":${record.ts_ms},"call":"${record.id}",${line.slice(1, -1)}`;
}

/** Whose the payloads of a call are. */
export function ownerOf({ tenant, user, risk }: CallRecord): OwnerTuple {
	return [tenant, user, risk ?? "other"];
}

/** Methods whose payloads are kept. What lists say stands in the catalog. */
const with_payload =
	/^(tools\/call|resources\/read|prompts\/get|completion\/complete|tasks\/(result|cancel|update))$/;

const lists = /^(ping|(tools|prompts|resources|resources\/templates|tasks)\/list|tasks\/get)$/;

/** Whether a method only tells what there is. */
export function isList(method: string): boolean {
	return lists.test(method);
}

/** Whether the payloads of a method are kept, beside the fact of it. */
export function keepsPayload(method: string): boolean {
	return with_payload.test(method);
}

function aboutOf(record: CallRecord, safe: (text: string) => string) {
	const name = record.name === undefined ? undefined : safe(record.name);
	const is_tool = record.method === "tools/call";
	return {
		call: record.id,
		request_id: record.request_id.slice(0, 256),
		trace_id: record.trace_id,
		tenant_id: record.tenant,
		user: record.user,
		client_id: record.client_id,
		session_id: record.session_id,
		method: record.method,
		tool: is_tool ? name : undefined,
		name: is_tool ? undefined : name,
		endpoint: record.endpoint,
		server: record.server,
		version: record.version,
		risk: record.risk,
		decision: record.decision,
		rule: record.rule,
		approval_id: record.approval_id,
		input_bytes: record.input_bytes,
		input_hash: record.inputHash(),
	};
}

function endOf(record: CallRecord) {
	return {
		status: record.status,
		code: record.code,
		error_id: record.error_id,
		duration_ms: Math.round(record.duration_ms * 1000) / 1000,
		output_bytes: record.output_bytes,
	};
}

/** An action of an administrator, before it is done or with what came of it. */
export interface AdminEntry {
	/** Names the action in both of its entries. */
	readonly id: string;
	readonly at_ms: number;
	readonly tenant_id: string;
	readonly user: string;
	readonly roles: readonly string[];
	/** The operation: `addServer`. */
	readonly action: string;
	/** What it is about: the parts of its path. */
	readonly subject: Readonly<Record<string, string>>;
	/** HTTP status, once it is known. */
	readonly status?: number | undefined;
}

/** An action before it is done, with the state before as its payload. */
export function adminIntent(entry: AdminEntry): string {
	const { id, at_ms, ...rest } = entry;
	return open({ kind: "intent", at_ms, call: id, method: "admin", ...rest });
}

/** What came of an action, with the state after it as its payload. */
export function adminOutcome(entry: AdminEntry): string {
	const { id, at_ms, action, status } = entry;
	return open({ kind: "outcome", at_ms, call: id, method: "admin", action, status });
}

function open(entry: object): string {
	return JSON.stringify(entry).slice(0, -1);
}
