import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { CallLine } from "../telemetry/call-line.ts";
import { ErrorWords } from "./error-words.ts";
import {
	bytesOf,
	lineOf,
	rowOf,
	seldom_columns,
	statuses,
	textOf,
	usual_columns,
} from "./history-rows.ts";
import { dropOldIndex, prepareHistory } from "./history-schema.ts";
import {
	failed,
	madeAt,
	type PostedColumn,
	type PostedWord,
	Postings,
	postedId,
	stretch_calls,
	stretchOf,
} from "./postings.ts";
import { type CallPage, type CallQuery, searchWords } from "./query.ts";
import { Words } from "./words.ts";

/** Columns that are asked for by a word, by members of a query that are named like them. */
const word_filters = [
	...(["tenant", "user", "client", "server", "name"] as const),
	...(["method", "endpoint", "decision", "code"] as const),
] as const;

/** A page is looked for so long; then what was found is given. */
const search_ms_max = 60;
/** Rows of the first part that is looked through, and how fast a part has to be to be doubled. */
const part_rows = 20_000;
const part_ms_fast = 8;
/** So many calls are read one by one before the clock is looked at. */
const calls_apart = 256;
/** Times that go back by less are the order in which calls end. */
const jump_ms = 1_000;

/** What a call is selected with. */
const selected = "select calls.*, errors.error from";

/** What a search has to narrow it, beside where it looks. */
interface Narrowed {
	/** Of SQL, each for a call; `values` are in their places. */
	readonly conditions: readonly string[];
	readonly values: SQLInputValue[];
	/** The same as far as it is posted. */
	readonly posted: readonly (readonly [PostedColumn, PostedWord])[];
}

/** A search while it runs, from the last call to the first. */
interface Search {
	readonly began_ms: number;
	readonly limit: number;
	readonly found: { readonly seq: number; readonly line: CallLine }[];
	readonly low: number;
	/** What is behind it was looked at. */
	high: number;
	is_late: boolean;
}

/** The calls of the past, in a database of their own. Errors of the database throw. */
export class History {
	readonly #db: DatabaseSync;
	readonly #words: Words;
	readonly #insertUsual: StatementSync;
	readonly #insert: StatementSync;
	readonly #insertError: StatementSync;
	readonly #error_words: ErrorWords;
	readonly #insertJump: StatementSync;
	readonly #at: StatementSync;
	readonly #postings: Postings;
	readonly #monotonic: () => number;
	#is_modern = false;
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
		this.#insertUsual = insertInto(db, usual_columns);
		this.#insert = insertInto(db, [...usual_columns, ...seldom_columns]);
		this.#insertError = db.prepare("insert into errors (seq, error) values (?, ?)");
		this.#error_words = new ErrorWords(db);
		this.#insertJump = db.prepare("insert into jumps (seq) values (?)");
		this.#at = db.prepare("select seq, at_ms from calls where seq >= ? order by seq limit 1");
		// Asked for both at once, SQLite reads all calls.
		const ends = db
			.prepare("select (select min(seq) from calls) as first, (select max(seq) from calls) as last")
			.get();
		this.#first_seq = Number(ends?.["first"] ?? 1);
		this.#last_seq = Number(ends?.["last"] ?? 0);
		this.#last_at_ms = this.#last_seq === 0 ? 0 : this.#timeOf(this.#last_seq);
		this.#jumps = db
			.prepare("select seq from jumps order by seq")
			.all()
			.map((row) => Number(row["seq"]));
		this.#postings = new Postings(db);
		this.#postings.open(this.#last_seq);
		// The first version's tables come with what none needs any more.
		if (this.count === 0) while (this.modernize());
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
			this.#postings.open(this.#last_seq);
			throw error;
		}
	}

	/**
	 * Takes calls that an older version kept into what searches use now, a few thousand at a time,
	 * and then lets go of what they used before; false once nothing of it is left.
	 */
	modernize(): boolean {
		const db = this.#db;
		if (this.#is_modern) return false;
		let is_done = false;
		db.exec("begin immediate");
		try {
			if (this.#hasUnposted()) this.#postings.addOlder();
			else is_done = !this.#postings.joinOlder();
			db.exec("commit");
		} catch (error) {
			if (db.isTransaction) db.exec("rollback");
			this.#postings.open(this.#last_seq);
			throw error;
		}
		if (is_done) this.#is_modern = !dropOldIndex(db);
		return !this.#is_modern;
	}

	#hasUnposted(): boolean {
		return this.count > 0 && this.#postings.first > stretchOf(this.#first_seq);
	}

	/** The latest calls that match, newest first. */
	find(query: CallQuery): CallPage {
		const words = query.text === undefined ? undefined : searchWords(query.text);
		if (words?.length === 0) return { calls: [], next: undefined, complete: true };
		const { limit } = query;
		const narrowed = this.#narrowedBy(query);
		const began_ms = this.#monotonic();
		const search = { ...this.#boundsOf(query), began_ms, limit, found: [], is_late: false };
		if (words !== undefined) this.#findWords(search, words, narrowed);
		else if (query.trace !== undefined) this.#findTrace(search, query.trace, narrowed);
		else {
			if (narrowed.posted.length > 0) this.#findPosted(search, narrowed);
			this.#findBetween(search, narrowed);
		}
		return pageOf(search);
	}

	/** One call by its id. */
	get(id: string): CallLine | undefined {
		const seq = this.#seqOf(id);
		return seq === undefined ? undefined : this.#one([]).read(seq, []);
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
			for (const seq of gone) this.#error_words.remove(seq);
			db.prepare("delete from errors where seq <= ?").run(upto);
			db.prepare("delete from calls where seq <= ?").run(upto);
			db.prepare("delete from jumps where seq <= ?").run(upto);
			this.#postings.trim(upto + 1);
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
		const { id, values, seldom, posted } = rowOf(line, at_ms, this.#words);
		if (seldom === undefined) this.#insertUsual.run(seq, ...values);
		else this.#insert.run(seq, ...values, ...seldom);
		if (line.status !== "ok") {
			if (line.error !== null) this.#insertError.run(seq, line.error);
			const { error, code, tool, name } = line;
			this.#error_words.add(seq, error ?? "", code ?? "", tool ?? name ?? "");
		}
		this.#postings.add(seq, posted, id);
		this.#last_seq = seq;
		this.#last_at_ms = at_ms;
	}

	#narrowedBy(query: CallQuery): Narrowed {
		const conditions: string[] = [];
		const values: SQLInputValue[] = [];
		const posted: [PostedColumn, PostedWord][] = [];
		const where = (condition: string, ...bound: SQLInputValue[]) => {
			conditions.push(condition);
			values.push(...bound);
		};
		for (const column of word_filters) {
			const wanted = query[column];
			if (wanted === undefined) continue;
			const word = this.#words.find(wanted);
			where(`calls.${column} = ?`, word);
			posted.push([column, word]);
		}
		if (query.status === "error") where("calls.status > 0");
		else if (query.status !== undefined) {
			where("calls.status = ?", statuses.indexOf(query.status));
			if (query.status !== "ok") where("calls.status > 0");
		}
		if (query.status !== undefined && query.status !== "ok") posted.push(["status", failed]);
		if (query.session !== undefined) {
			where("calls.session = ?", bytesOf(query.session));
			posted.push(["session", postedId(query.session)]);
		}
		if (query.since_ms !== undefined) where("calls.at_ms >= ?", query.since_ms);
		if (query.until_ms !== undefined) where("calls.at_ms < ?", query.until_ms);
		return { conditions, values, posted };
	}

	/** By the words of errors, together with what is posted, as far back as it is. */
	#findWords(search: Search, words: readonly string[], narrowed: Narrowed): void {
		const { conditions, values } = narrowed;
		const one = this.#one(conditions);
		const errors = this.#error_words.find(words, search.low);
		const posted = this.#postedUpTo(search.high, narrowed.posted);
		for (let looked = 1; goesOn(search); looked += 1) {
			const seq = posted(search.high);
			const found = seq < search.low ? undefined : errors.upTo(seq);
			if (found === undefined) {
				search.high = search.low - 1;
				return;
			}
			search.high = found;
			if (found === seq) {
				const line = one.read(seq, values);
				if (line !== undefined) search.found.push({ seq, line });
				search.high = seq - 1;
			}
			if (looked % calls_apart === 0) this.#lookAtClock(search);
		}
	}

	/** Tells the next call up to one, each before the last, that has words, or may have them. */
	#postedUpTo(high: number, wanted: Narrowed["posted"]): (seq: number) => number {
		if (wanted.length === 0) return (seq) => seq;
		const unposted = this.#postings.first * stretch_calls - 1;
		const calls = this.#posted(high, [...wanted, ["status", failed]]);
		let at = Number.POSITIVE_INFINITY;
		return (seq) => {
			while (at > seq && at > unposted) at = calls.next().value ?? unposted;
			return at > unposted ? at : Math.min(seq, unposted);
		};
	}

	/** The calls up to one that have words, as far back as they are posted. */
	*#posted(high: number, wanted: Narrowed["posted"]): Generator<number, undefined> {
		for (const part of this.#postings.partsFrom(high)) yield* this.#postings.find(part, wanted);
	}

	/** All between the bounds, one after the other. */
	#findBetween(search: Search, { conditions, values }: Narrowed): void {
		this.#findInParts(search, part_rows, { from: "calls", seq: "calls.seq", conditions, values });
	}

	#findInParts(
		search: Search,
		first_rows: number,
		{ from, seq, conditions, values }: Omit<Narrowed, "posted"> & { from: string; seq: string },
	): void {
		const statement = this.#db.prepare(
			`${selected} ${from} left join errors on errors.seq = ${seq}
			where ${seq} >= ? and ${seq} <= ?${andAll(conditions)} order by ${seq} desc limit ?`,
		);
		const { found, limit } = search;
		let rows = first_rows;
		while (goesOn(search)) {
			const low = Math.max(search.low, search.high - rows + 1);
			const part_began_ms = this.#monotonic();
			const part = statement.all(low, search.high, ...values, limit + 1 - found.length);
			for (const row of part) found.push({ seq: Number(row["seq"]), line: this.#read(row) });
			search.high = low - 1;
			if (this.#lookAtClock(search) - part_began_ms < part_ms_fast) rows *= 2;
		}
	}

	/** By what is posted, as far back as it is. */
	#findPosted(search: Search, { conditions, values, posted }: Narrowed): void {
		const one = this.#one(conditions);
		for (const part of this.#postings.partsFrom(search.high)) {
			if (!goesOn(search)) return;
			let looked = 0;
			for (const seq of this.#postings.find(part, posted)) {
				if (seq > search.high) continue;
				if (seq < search.low || search.found.length > search.limit) break;
				const line = one.read(seq, values);
				if (line !== undefined) search.found.push({ seq, line });
				looked += 1;
				search.high = seq - 1;
				if (looked % calls_apart === 0) this.#lookAtClock(search);
				if (search.is_late) return;
			}
			search.high = part.first_seq - 1;
			this.#lookAtClock(search);
		}
	}

	/** By a trace: what has it, and the call that it is named after. */
	#findTrace(search: Search, trace: string, narrowed: Narrowed): void {
		const bytes = Buffer.from(trace, "hex");
		const { low, high, found } = search;
		const own = this.#seqOf(textOf(bytes) ?? "");
		this.#findInParts(search, Number.POSITIVE_INFINITY, {
			...{ from: "calls", seq: "calls.seq" },
			conditions: ["calls.trace = ?", ...narrowed.conditions],
			values: [bytes, ...narrowed.values],
		});
		if (own === undefined || own < low || own > high) return;
		const conditions = ["calls.trace is null", ...narrowed.conditions];
		const line = this.#one(conditions).read(own, narrowed.values);
		if (line === undefined) return;
		found.push({ seq: own, line });
		found.sort((left, right) => right.seq - left.seq);
	}

	/** Reads calls by their number. */
	#one(conditions: readonly string[]) {
		const statement = this.#db.prepare(
			`${selected} calls left join errors using (seq) where calls.seq = ?${andAll(conditions)}`,
		);
		return {
			read: (seq: number, values: readonly SQLInputValue[]): CallLine | undefined => {
				const row = statement.get(seq, ...values);
				return row && this.#read(row);
			},
		};
	}

	/**
	 * The number of a call. It ended after its id was made, most often at once; but the clock may
	 * have jumped.
	 */
	#seqOf(id: string): number | undefined {
		const bytes = bytesOf(id);
		const is = this.#db.prepare("select 1 from calls where seq = ? and id = ?");
		const made_ms = madeAt(id);
		const likely = made_ms === undefined ? this.#last_seq : this.#firstSince(made_ms);
		// A call that took long is in a later part; in an earlier one, where a clock has jumped.
		const parts = [...this.#postings.partsFrom(this.#last_seq)].reverse();
		const from = parts.findIndex(({ first_seq, calls }) => likely < first_seq + calls);
		const later = parts.slice(Math.max(0, from));
		for (const part of [...later, ...parts.slice(0, Math.max(0, from)).reverse()]) {
			for (const seq of this.#postings.ofId(part, bytes)) {
				if (is.get(seq, bytes) !== undefined) return seq;
			}
		}
		if (!this.#hasUnposted()) return undefined;
		const row = this.#db
			.prepare("select seq from calls where id = ? and seq < ?")
			.get(bytes, this.#postings.first * stretch_calls);
		return row === undefined ? undefined : Number(row["seq"]);
	}

	/** Notes whether a search has taken its time; returns the time. */
	#lookAtClock(search: Search): number {
		const now_ms = this.#monotonic();
		search.is_late = now_ms - search.began_ms > search_ms_max;
		return now_ms;
	}

	#read(row: Record<string, unknown>): CallLine {
		return lineOf(row, this.#words);
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
}

function insertInto(db: DatabaseSync, columns: readonly string[]): StatementSync {
	const places = columns.map(() => "?").join(", ");
	return db.prepare(`insert into calls (seq, ${columns.join(", ")}) values (?, ${places})`);
}

/** Whether there is more to look at and room for it. */
function goesOn({ high, low, found, limit, is_late }: Search): boolean {
	return high >= low && found.length <= limit && !is_late;
}

function pageOf({ found, limit, high, low }: Search): CallPage {
	const calls = found.slice(0, limit).map(({ line }) => line);
	if (found.length > limit) return { calls, next: found[limit - 1]?.seq, complete: true };
	const complete = high < low;
	return { calls, next: complete ? undefined : high + 1, complete };
}

function andAll(conditions: readonly string[]): string {
	return conditions.map((one) => ` and ${one}`).join("");
}
