import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { CallLine } from "../telemetry/call-line.ts";
import { prepareHistory } from "./history-schema.ts";
import { endsWith, hexBytes, uuidBytes } from "./id-bytes.ts";
import { type CallPage, type CallQuery, searchTerms } from "./query.ts";
import { Words } from "./words.ts";

const statuses = ["ok", "client_error", "server_error", "timeout"] as const;
const eras = ["legacy", "modern"] as const;

const columns = [
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
	"code",
	"error_id",
	"decision",
	"rule",
	"approval_id",
	"risk",
	"duration_us",
	"queue_us",
	"wake_us",
	"upstream_us",
	"policy_us",
	"approval_us",
	"input_bytes",
	"output_bytes",
	"input_hash",
	"request_id",
	"trace",
	"span",
	"parent",
	"client_revision",
	"client_era",
	"upstream_revision",
	"upstream_era",
	"requests",
	"made_by",
] as const;

/** Columns that are asked for by a word, and the member of a query that does. */
const word_filters = [
	["tenant", "tenant"],
	["user", "user"],
	["client", "client"],
	["server", "server"],
	["name", "name"],
	["method", "method"],
	["endpoint", "endpoint"],
	["decision", "decision"],
	["code", "code"],
] as const;

/** A page is looked for so long; then what was found is given. */
const search_ms_max = 60;
/** Rows of the first part that is looked through, and how fast a part has to be to be doubled. */
const part_rows = 20_000;
const part_ms_fast = 8;
/** The same where only failed calls are looked through. */
const part_rows_of_words = 4_000_000;
/** Times that go back by less are the order in which calls end. */
const jump_ms = 1_000;

/** The calls of the past, in a database of their own. Errors of the database throw. */
export class History {
	readonly #db: DatabaseSync;
	readonly #words: Words;
	readonly #insert: StatementSync;
	readonly #insertError: StatementSync;
	readonly #insertWords: StatementSync;
	readonly #insertJump: StatementSync;
	readonly #at: StatementSync;
	readonly #monotonic: () => number;
	#last_seq: number;
	#first_seq: number;
	#last_at_ms: number;
	/** Rows at which time went back. */
	#jumps: number[];

	/** Opens or makes the database of a path. */
	constructor(path: string, monotonic: () => number) {
		this.#monotonic = monotonic;
		this.#db = new DatabaseSync(path, { timeout: 5_000 });
		prepareHistory(this.#db);
		const db = this.#db;
		this.#words = new Words(db);
		const places = columns.map(() => "?").join(", ");
		this.#insert = db.prepare(
			`insert into calls (seq, ${columns.join(", ")}) values (?, ${places})`,
		);
		this.#insertError = db.prepare("insert into errors (seq, error) values (?, ?)");
		this.#insertWords = db.prepare(
			"insert into error_words (rowid, error, code, tool) values (?, ?, ?, ?)",
		);
		this.#insertJump = db.prepare("insert into jumps (seq) values (?)");
		this.#at = db.prepare("select seq, at_ms from calls where seq >= ? order by seq limit 1");
		const ends = db.prepare("select min(seq) as first, max(seq) as last from calls").get();
		this.#first_seq = Number(ends?.["first"] ?? 1);
		this.#last_seq = Number(ends?.["last"] ?? 0);
		this.#last_at_ms = this.#last_seq === 0 ? 0 : this.#timeOf(this.#last_seq);
		this.#jumps = db
			.prepare("select seq from jumps order by seq")
			.all()
			.map((row) => Number(row["seq"]));
	}

	/** How many calls there are, as far as numbers tell. */
	get count(): number {
		return Math.max(0, this.#last_seq - this.#first_seq + 1);
	}

	/** Adds calls in the order in which they ended; all of them or none. */
	add(lines: Iterable<CallLine>): void {
		const db = this.#db;
		const before = [this.#last_seq, this.#last_at_ms, this.#jumps.length] as const;
		db.exec("begin immediate");
		try {
			for (const line of lines) this.#add(line);
			db.exec("commit");
		} catch (error) {
			if (db.isTransaction) db.exec("rollback");
			[this.#last_seq, this.#last_at_ms] = before;
			this.#jumps = this.#jumps.slice(0, before[2]);
			this.#words.forget(db);
			throw error;
		}
	}

	/** The latest calls that match, newest first. */
	find(query: CallQuery): CallPage {
		const { conditions, values } = this.#conditions(query);
		const bounds = this.#boundsOf(query);
		const limit = query.limit;
		const terms = query.text === undefined ? undefined : searchTerms(query.text);
		if (terms === "") return { calls: [], next: undefined, complete: true };
		// The index of words leads where there are words to be found: it goes from the last to the
		// first by itself, and most calls have none of them.
		const [from, seq] =
			terms === undefined
				? ["calls", "calls.seq"]
				: ["error_words cross join calls on calls.seq = error_words.rowid", "error_words.rowid"];
		const all = [...(terms === undefined ? [] : ["error_words match ?"]), ...conditions];
		const statement = this.#db.prepare(
			`select calls.*, errors.error from ${from} left join errors on errors.seq = ${seq}
			where ${seq} >= ? and ${seq} <= ?${all.map((one) => ` and ${one}`).join("")}
			order by ${seq} desc limit ?`,
		);
		if (terms !== undefined) values.unshift(terms);
		const found: { seq: number; line: CallLine }[] = [];
		const began = this.#monotonic();
		let high = bounds.high;
		let rows = terms === undefined ? part_rows : part_rows_of_words;
		while (high >= bounds.low && found.length <= limit) {
			const low = Math.max(bounds.low, high - rows + 1);
			const part_began = this.#monotonic();
			const part = statement.all(low, high, ...values, limit + 1 - found.length);
			for (const row of part) found.push({ seq: Number(row["seq"]), line: this.#read(row) });
			high = low - 1;
			const now = this.#monotonic();
			if (now - began > search_ms_max) break;
			if (now - part_began < part_ms_fast) rows *= 2;
		}
		const calls = found.slice(0, limit).map(({ line }) => line);
		if (found.length > limit) {
			return { calls, next: found[limit - 1]?.seq, complete: true };
		}
		const complete = high < bounds.low;
		return { calls, next: complete ? undefined : high + 1, complete };
	}

	/** One call by its id. */
	get(id: string): CallLine | undefined {
		const row = this.#db
			.prepare(
				"select calls.*, errors.error from calls left join errors using (seq) where calls.id = ?",
			)
			.get(bytesOf(id));
		return row === undefined ? undefined : this.#read(row);
	}

	/** Removes the oldest calls, at most so many; returns how many there were. */
	trim(keep: { readonly oldest_ms: number; readonly calls_max: number }, rows_max: number): number {
		const by_count = this.#last_seq - keep.calls_max;
		const by_age = this.#firstSince(keep.oldest_ms) - 1;
		const upto = Math.min(Math.max(by_count, by_age), this.#first_seq + rows_max - 1);
		if (upto < this.#first_seq) return 0;
		const db = this.#db;
		db.exec("begin immediate");
		try {
			const gone = db
				.prepare("select seq from errors where seq <= ?")
				.all(upto)
				.map((row) => Number(row["seq"]));
			const forget = db.prepare("delete from error_words where rowid = ?");
			for (const seq of gone) forget.run(seq);
			db.prepare("delete from errors where seq <= ?").run(upto);
			db.prepare("delete from calls where seq <= ?").run(upto);
			db.prepare("delete from jumps where seq <= ?").run(upto);
			db.exec("commit");
		} catch (error) {
			if (db.isTransaction) db.exec("rollback");
			throw error;
		}
		const removed = upto - this.#first_seq + 1;
		this.#first_seq = upto + 1;
		this.#jumps = this.#jumps.filter((seq) => seq > upto);
		return removed;
	}

	close(): void {
		this.#db.close();
	}

	#add(line: CallLine): void {
		const at_ms = Date.parse(line.ts);
		const seq = this.#last_seq + 1;
		if (at_ms < this.#last_at_ms - jump_ms) {
			this.#insertJump.run(seq);
			this.#jumps.push(seq);
		}
		const word = (text: string | null) => this.#words.write(text);
		const status = statuses.indexOf(line.status);
		this.#insert.run(
			seq,
			bytesOf(line.id),
			at_ms,
			status,
			word(line.tenant_id),
			word(line.user),
			word(line.client_id),
			word(line.client_name),
			word(line.client_version),
			bytesOf(line.session_id),
			word(line.endpoint),
			word(line.server),
			word(line.version),
			word(line.instance),
			word(line.method),
			// Uris are as many as there are resources: they are not words that repeat.
			this.#words.writeName(line.tool ?? line.name, line.tool !== null),
			word(line.code),
			bytesOf(line.error_id),
			word(line.decision),
			word(line.rule),
			bytesOf(line.approval_id),
			word(line.risk),
			microseconds(line.duration_ms),
			microseconds(line.queue_ms),
			microseconds(line.wake_ms),
			microseconds(line.upstream_ms),
			microseconds(line.policy_ms),
			microseconds(line.approval_ms),
			line.input_bytes,
			line.output_bytes,
			packed(line.input_hash),
			line.request_id,
			traceOf(line),
			spanOf(line),
			packed(line.parent_span_id),
			word(line.client_revision),
			line.client_era === null ? null : eras.indexOf(line.client_era),
			word(line.upstream_revision),
			line.upstream_era === null ? null : eras.indexOf(line.upstream_era),
			line.requests > 1 ? line.requests : null,
			word(line.made_by),
		);
		if (status > 0) {
			if (line.error !== null) this.#insertError.run(seq, line.error);
			this.#insertWords.run(seq, line.error ?? "", line.code ?? "", line.tool ?? line.name ?? "");
		}
		this.#last_seq = seq;
		this.#last_at_ms = at_ms;
	}

	#conditions(query: CallQuery): { conditions: string[]; values: SQLInputValue[] } {
		const conditions: string[] = [];
		const values: SQLInputValue[] = [];
		const where = (condition: string, ...bound: SQLInputValue[]) => {
			conditions.push(condition);
			values.push(...bound);
		};
		for (const [column, member] of word_filters) {
			const wanted = query[member];
			if (wanted === undefined) continue;
			where(`calls.${column} = ?`, this.#words.find(wanted));
		}
		if (query.status === "error") where("calls.status > 0");
		else if (query.status !== undefined) {
			where("calls.status = ?", statuses.indexOf(query.status));
			if (query.status !== "ok") where("calls.status > 0");
		}
		if (query.session !== undefined) where("calls.session = ?", bytesOf(query.session));
		if (query.trace !== undefined) {
			const trace = Buffer.from(query.trace, "hex");
			where(
				`calls.seq in (
					select seq from calls where trace = ?
					union all select seq from calls where id = ? and trace is null
				)`,
				...[trace, trace],
			);
		}
		if (query.since_ms !== undefined) where("calls.at_ms >= ?", query.since_ms);
		if (query.until_ms !== undefined) where("calls.at_ms < ?", query.until_ms);
		return { conditions, values };
	}

	#boundsOf(query: CallQuery): { readonly low: number; readonly high: number } {
		const { since_ms, until_ms, before } = query;
		const low = since_ms === undefined ? this.#first_seq : this.#firstSince(since_ms);
		const newest = before === undefined ? this.#last_seq : Math.min(before - 1, this.#last_seq);
		const high = until_ms === undefined ? newest : Math.min(newest, this.#lastBefore(until_ms));
		return { low, high };
	}

	/** Stretches in which time goes on only forwards, oldest first. */
	#stretches(): { readonly from: number; readonly to: number }[] {
		const starts = [this.#first_seq, ...this.#jumps.filter((seq) => seq > this.#first_seq)];
		return starts.map((from, index) => ({
			from,
			to: (starts[index + 1] ?? this.#last_seq + 1) - 1,
		}));
	}

	/** The first row that ended at or after a time; one past the last where there is none. */
	#firstSince(at_ms: number): number {
		for (const { from, to } of this.#stretches()) {
			const found = this.#search(from, to, at_ms - jump_ms);
			if (found <= to) return found;
		}
		return this.#last_seq + 1;
	}

	#lastBefore(at_ms: number): number {
		for (const { from, to } of this.#stretches().reverse()) {
			const found = this.#search(from, to, at_ms + jump_ms) - 1;
			if (found >= from) return found;
		}
		return 0;
	}

	/** The first row of a stretch that is not older; one past its end where there is none. */
	#search(from: number, to: number, at_ms: number): number {
		let low = from;
		let high = to + 1;
		while (low < high) {
			const middle = Math.floor((low + high) / 2);
			if (this.#timeOf(middle) >= at_ms) high = middle;
			else low = middle + 1;
		}
		return low;
	}

	#timeOf(seq: number): number {
		return Number(this.#at.get(seq)?.["at_ms"] ?? Number.POSITIVE_INFINITY);
	}

	#read(row: Record<string, unknown>): CallLine {
		const word = (column: string) => this.#words.read(row[column]);
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
}

function eraOf(value: unknown): (typeof eras)[number] | null {
	return value === null ? null : (eras[Number(value)] ?? null);
}

/** An id in as few bytes as there are: a UUID in 16, any other text as it is. */
function bytesOf(id: string): SQLInputValue;
function bytesOf(id: string | null): SQLInputValue;
function bytesOf(id: string | null): SQLInputValue {
	return id === null ? null : (uuidBytes(id) ?? id);
}

/** An id of hex digits in half as many bytes. */
function packed(hex: string | null): Uint8Array | null {
	return hex === null ? null : (hexBytes(hex) ?? Buffer.from(hex, "hex"));
}

function textOf(value: unknown): string | null {
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
