import type { CallLine } from "./call-line.ts";
import type { CallRecord } from "./call-record.ts";
import { type LineRedactor, quote, safeText } from "./line-text.ts";

/**
 * Parts of lines that many calls have in common, kept from calls before. They are made anew once
 * the redactor has learned another secret, which may stand in one of them.
 */
class PartCache {
	readonly #kind: PartKind;
	readonly #parts = new Map<string, Part>();
	#changes: number | undefined;

	constructor(kind: PartKind) {
		this.#kind = kind;
	}

	/** The part of a call. */
	of(record: CallRecord, redactor: LineRedactor): string {
		const { key, isSame, make } = this.#kind;
		if (redactor.changes !== this.#changes) {
			this.#changes = redactor.changes;
			this.#parts.clear();
		}
		const name = key(record);
		const known = this.#parts.get(name);
		if (known !== undefined && isSame(known.record, record)) return known.text;
		const text = make(record, redactor);
		if (isUri(record)) return text;
		if (this.#parts.size >= parts_max) this.#parts.clear();
		// A plain copy: the record itself would keep its payloads in memory.
		const copy = { ...record, request: none, reply: nothing, inputHash: empty };
		this.#parts.set(name, { record: copy, text: inOnePiece(text) });
		return text;
	}
}

/** How a part is made, what it is found by, and whether it is the same for two records. */
interface PartKind {
	key(record: CallRecord): string;
	isSame(left: CallRecord, right: CallRecord): boolean;
	make(record: CallRecord, redactor: LineRedactor): string;
}

/** A part, and the record it was made of. */
interface Part {
	readonly record: CallRecord;
	readonly text: string;
}

const parts_max = 2_000;
const none = () => Buffer.alloc(0);
const nothing = () => undefined;
const empty = () => "";

/** What was put together stays a tree of its parts, which is walked again whenever it is used. */
function inOnePiece(text: string): string {
	return Buffer.from(text).toString();
}

/** Uris are as many as there are resources: they would drive out what comes again. */
function isUri({ name, method }: CallRecord): boolean {
	return name !== undefined && method !== "tools/call" && name.includes(":");
}

const who_parts = new PartCache({
	key: (record) => record.session_id ?? record.principal,
	isSame: isSameCaller,
	make(record, redactor) {
		const safe = (text: string | undefined) =>
			quote(text === undefined ? undefined : safeText(text, redactor));
		return (
			`"tenant_id":${safe(record.tenant)},"user":${safe(record.user)},` +
			`"made_by":${safe(record.made_by)},` +
			`"client_id":${safe(record.client_id)},"client_name":${safe(record.client_name)},` +
			`"client_version":${safe(record.client_version)},"session_id":${safe(record.session_id)},` +
			`"client_revision":${safe(record.client_revision)},"client_era":"${record.client_era}",` +
			`"endpoint":${safe(record.endpoint)}`
		);
	},
});

/** Whether two calls are of the same caller, in the same way. */
function isSameCaller(left: CallRecord, right: CallRecord): boolean {
	return (
		left.tenant === right.tenant &&
		left.user === right.user &&
		left.made_by === right.made_by &&
		left.client_id === right.client_id &&
		left.client_name === right.client_name &&
		left.client_version === right.client_version &&
		left.session_id === right.session_id &&
		left.endpoint === right.endpoint &&
		left.client_revision === right.client_revision &&
		left.client_era === right.client_era
	);
}

const what_parts = new PartCache({
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
	make(record, redactor) {
		const safe = (text: string | undefined) =>
			quote(text === undefined ? undefined : safeText(text, redactor));
		const is_tool = record.method === "tools/call";
		const named = safe(record.name);
		return (
			`"server":${quote(record.server)},"version":${quote(record.version)},` +
			`"instance":${safe(record.instance)},"method":${safe(record.method)},` +
			`"tool":${is_tool ? named : "null"},"name":${is_tool ? "null" : named},` +
			`"risk":${quote(record.risk)},"upstream_revision":${safe(record.upstream_revision)},` +
			`"upstream_era":${quote(record.upstream_era)}`
		);
	},
});

/** Members of a line: who called, with what, at which address. */
export type WhoMembers = Pick<
	CallLine,
	| "tenant_id"
	| "user"
	| "made_by"
	| "client_id"
	| "client_name"
	| "client_version"
	| "session_id"
	| "client_revision"
	| "client_era"
	| "endpoint"
>;

/** Members of a line: what was called. */
export type WhatMembers = Pick<
	CallLine,
	| "server"
	| "version"
	| "instance"
	| "method"
	| "tool"
	| "name"
	| "risk"
	| "upstream_revision"
	| "upstream_era"
>;

/** Members of a line: what the policy said. */
export type DecidedMembers = Pick<CallLine, "decision" | "rule">;

/** `WhoMembers` of a call, as JSON without braces. */
export function whoPart(record: CallRecord, redactor: LineRedactor): string {
	return who_parts.of(record, redactor);
}

/** `WhatMembers` of a call, as JSON without braces. */
export function whatPart(record: CallRecord, redactor: LineRedactor): string {
	return what_parts.of(record, redactor);
}

/** `DecidedMembers` of a call, as JSON without braces. */
export function decidedPart({ decision, rule }: CallRecord): string {
	const known = decided.get(rule);
	if (known !== undefined && known.decision === decision) return known.text;
	const text = inOnePiece(`"decision":${quote(decision)},"rule":${quote(rule)}`);
	if (decided.size >= parts_max) decided.clear();
	decided.set(rule, { decision, text });
	return text;
}

/** By rule: one rule nearly always decides the same. */
const decided = new Map<string | undefined, { decision: string | undefined; text: string }>();
