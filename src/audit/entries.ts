import type { CallRecord } from "../telemetry/call-record.ts";
import { ascii, type LineWriter } from "../telemetry/packed/line-writer.ts";
import type { UnpackedCall } from "../telemetry/packed/unpack-calls.ts";
import type { OwnerTuple } from "./messages.ts";

/**
 * The entries of the log, as JSON without the closing brace: the recorder adds where the payload
 * is. `at_ms` stands near the front, where a segment's age is read from.
 */

/** What is made of a call: the one entry of it, or one before it and one after it. */
export const purposes = { call: 0, intent: 1, outcome: 2 } as const;
export type Purpose = (typeof purposes)[keyof typeof purposes];

const begin = {
	intent: ascii('{"kind":"intent","at_ms":'),
	outcome: ascii('{"kind":"outcome","at_ms":'),
	// It only read, or never reached its server: both in one.
	call: ascii('{"kind":"call","at_ms":'),
	id: ascii(',"call":"'),
	rest: ascii('",'),
	answered: ascii(","),
};
/** What stands before its members, at the most. */
export const begin_bytes_max = 128;

/** Writes the entry of a call, for its purpose; `now_ms` is when it was sent. */
export function writeEntry(to: LineWriter, call: UnpackedCall, now_ms: number): void {
	const { purpose } = call;
	const is_intent = purpose === purposes.intent;
	const is_outcome = purpose === purposes.outcome;
	to.bytes(is_intent ? begin.intent : is_outcome ? begin.outcome : begin.call);
	to.number(is_outcome ? now_ms : call.start_ms);
	to.bytes(begin.id);
	call.writeId(to);
	to.bytes(begin.rest);
	if (is_outcome) return call.writeAnswered(to);
	call.writeAsked(to);
	if (is_intent) return;
	to.bytes(begin.answered);
	call.writeAnswered(to);
}

/** Whose the payloads of a call are. */
export function ownerOf({ tenant, user, risk }: CallRecord): OwnerTuple {
	return [tenant, user, risk ?? "other"];
}

/** Methods whose payloads are kept. What lists say stands in the catalog. */
const with_payload: ReadonlySet<string> = new Set([
	"tools/call",
	"resources/read",
	"prompts/get",
	"completion/complete",
	"tasks/result",
	"tasks/cancel",
	"tasks/update",
]);

const lists: ReadonlySet<string> = new Set([
	"ping",
	"tools/list",
	"prompts/list",
	"resources/list",
	"resources/templates/list",
	"tasks/list",
	"tasks/get",
]);

/** Whether a method only tells what there is. */
export function isList(method: string): boolean {
	return lists.has(method);
}

/** Whether the payloads of a method are kept, beside the fact of it. */
export function keepsPayload(method: string): boolean {
	return with_payload.has(method);
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
