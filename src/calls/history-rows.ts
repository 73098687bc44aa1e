import type { SQLInputValue } from "node:sqlite";
import type { CallLine } from "../telemetry/call-line.ts";
import { endsWith, hexBytes, uuidBytes } from "./id-bytes.ts";
import { failed, type PostedWords, postedId } from "./postings.ts";
import type { Words } from "./words.ts";

/** All outcomes; a row has the place of its own. */
export const statuses = ["ok", "client_error", "server_error", "timeout"] as const;
const eras = ["legacy", "modern"] as const;

/** What most rows have behind their number. */
export const usual_columns = [
	"id",
	"at_ms",
	"status",
	"tenant",
	"user",
	"client",
	"client_name",
	"client_version",
	"session",
	"endpoint",
	"server",
	"version",
	"instance",
	"method",
	"name",
	"decision",
	"rule",
	"risk",
	"duration_us",
	"upstream_us",
	"policy_us",
	"audit_us",
	"input_bytes",
	"output_bytes",
	"input_hash",
	"request_id",
	"client_revision",
	"client_era",
	"upstream_revision",
	"upstream_era",
] as const;

/** What few rows have. Each value that is handed over takes its time, nothing as much as others. */
export const seldom_columns = [
	"code",
	"error_id",
	"approval_id",
	"queue_us",
	"wake_us",
	"approval_us",
	"trace",
	"span",
	"parent",
	"requests",
	"made_by",
] as const;

/** A call as it is written. */
export interface CallRow {
	readonly id: Uint8Array | string;
	/** One for each of `usual_columns`. */
	readonly values: SQLInputValue[];
	/** One for each of `seldom_columns`; undefined where there is nothing in any of them. */
	readonly seldom: SQLInputValue[] | undefined;
	/** What it can be asked for by. */
	readonly posted: PostedWords;
}

/** The row of a call; words that are new are written down, within a transaction. */
export function rowOf(line: CallLine, at_ms: number, words: Words): CallRow {
	const word = (text: string | null) => words.write(text);
	const status = statuses.indexOf(line.status);
	const id = bytesOf(line.id);
	const [tenant, user, client] = [word(line.tenant_id), word(line.user), word(line.client_id)];
	const [server, method] = [word(line.server), word(line.method)];
	// Uris are as many as there are resources: they are not words that repeat.
	const name = words.writeName(line.tool ?? line.name, line.tool !== null);
	const [endpoint, decision, code] = [word(line.endpoint), word(line.decision), word(line.code)];
	const session = line.session_id === null ? no_session : sessionOf(line.session_id);
	const values = [
		id,
		at_ms,
		status,
		tenant,
		user,
		client,
		word(line.client_name),
		word(line.client_version),
		session.bytes,
		endpoint,
		server,
		word(line.version),
		word(line.instance),
		method,
		name,
		decision,
		word(line.rule),
		word(line.risk),
		microseconds(line.duration_ms),
		microseconds(line.upstream_ms),
		microseconds(line.policy_ms),
		microseconds(line.audit_ms),
		line.input_bytes,
		line.output_bytes,
		packed(line.input_hash),
		line.request_id,
		word(line.client_revision),
		line.client_era === null ? null : eras.indexOf(line.client_era),
		word(line.upstream_revision),
		line.upstream_era === null ? null : eras.indexOf(line.upstream_era),
	];
	const seldom = [
		code,
		line.error_id === null ? null : bytesOf(line.error_id),
		line.approval_id === null ? null : bytesOf(line.approval_id),
		microseconds(line.queue_ms),
		microseconds(line.wake_ms),
		microseconds(line.approval_ms),
		traceOf(line),
		spanOf(line),
		packed(line.parent_span_id),
		line.requests > 1 ? line.requests : null,
		word(line.made_by),
	];
	const has_failed = status > 0 ? failed : null;
	// In the order of `posted_columns`.
	const posted = [tenant, user, client, server, name, method, endpoint, decision, code];
	posted.push(session.posted, has_failed);
	return { id, values, seldom: seldom.every(isNothing) ? undefined : seldom, posted };
}

function isNothing(value: SQLInputValue): boolean {
	return value === null;
}

/** A session as it stands in a row, and the word under which its calls are posted. */
interface Session {
	readonly bytes: Uint8Array | string | null;
	readonly posted: string | null;
}

const no_session: Session = { bytes: null, posted: null };
/** Sessions that had calls lately: most have many. */
const sessions = new Map<string, Session>();
const sessions_max = 1_000;

function sessionOf(id: string): Session {
	const known = sessions.get(id);
	if (known !== undefined) return known;
	const made = { bytes: bytesOf(id), posted: postedId(id) };
	if (sessions.size >= sessions_max) sessions.clear();
	sessions.set(id, made);
	return made;
}

/** The call of a row, its error included. */
export function lineOf(row: Record<string, unknown>, words: Words): CallLine {
	const word = (column: string) => words.read(row[column]);
	const method = word("method") ?? "";
	const name = word("name");
	const is_tool = method === "tools/call";
	const id = textOf(row["id"]) ?? "";
	return {
		ts: new Date(Number(row["at_ms"])).toISOString(),
		service: "moorage",
		id,
		tenant_id: word("tenant"),
		user: word("user"),
		made_by: word("made_by"),
		client_id: word("client"),
		client_name: word("client_name"),
		client_version: word("client_version"),
		session_id: textOf(row["session"]),
		endpoint: word("endpoint") ?? "",
		server: word("server"),
		version: word("version"),
		instance: word("instance"),
		method,
		tool: is_tool ? name : null,
		name: is_tool ? null : name,
		status: statuses[Number(row["status"])] ?? "ok",
		code: word("code"),
		error: textOf(row["error"]),
		error_id: textOf(row["error_id"]),
		requests: Number(row["requests"] ?? 1),
		duration_ms: milliseconds(row["duration_us"]),
		queue_ms: milliseconds(row["queue_us"]),
		wake_ms: milliseconds(row["wake_us"]),
		upstream_ms: milliseconds(row["upstream_us"]),
		policy_ms: milliseconds(row["policy_us"]),
		approval_ms: milliseconds(row["approval_us"]),
		audit_ms: milliseconds(row["audit_us"]),
		decision: word("decision"),
		rule: word("rule"),
		approval_id: textOf(row["approval_id"]),
		risk: word("risk"),
		input_bytes: Number(row["input_bytes"]),
		output_bytes: Number(row["output_bytes"]),
		input_hash: hexOf(row["input_hash"]),
		request_id: String(row["request_id"]),
		trace_id: hexOf(row["trace"]) ?? id.replaceAll("-", ""),
		span_id: hexOf(row["span"]) ?? id.replaceAll("-", "").slice(16),
		parent_span_id: hexOf(row["parent"]),
		client_revision: word("client_revision"),
		client_era: eraOf(row["client_era"]),
		upstream_revision: word("upstream_revision"),
		upstream_era: eraOf(row["upstream_era"]),
	};
}

function eraOf(value: unknown): (typeof eras)[number] | null {
	return value === null ? null : (eras[Number(value)] ?? null);
}

/** An id in as few bytes as there are: a UUID in 16, any other text as it is. */
export function bytesOf(id: string): Uint8Array | string {
	return uuidBytes(id) ?? id;
}

/** An id of hex digits in half as many bytes. */
function packed(hex: string | null): Uint8Array | null {
	return hex === null ? null : (hexBytes(hex) ?? Buffer.from(hex, "hex"));
}

/** An id, or another text, as it stands in a row. */
export function textOf(value: unknown): string | null {
	if (value === null || value === undefined) return null;
	if (typeof value === "string") return value;
	const hex = hexOf(value) ?? "";
	const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
	return [...parts, hex.slice(20)].join("-");
}

function hexOf(value: unknown): string | null {
	return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : null;
}

/** Most traces are named after their call, and spans too. */
function traceOf({ id, trace_id }: CallLine): Uint8Array | null {
	return endsWith(id, trace_id) ? null : packed(trace_id);
}

function spanOf({ id, span_id }: CallLine): Uint8Array | null {
	return endsWith(id, span_id) ? null : packed(span_id);
}

/** None is written as nothing, which takes no room. */
function microseconds(duration_ms: number): number | null {
	return duration_ms === 0 ? null : Math.round(duration_ms * 1000);
}

function milliseconds(value: unknown): number {
	return Number(value ?? 0) / 1000;
}
