import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type CallSet, callsInAll, joinSets, numbersOf, setOf } from "./call-sets.ts";
import { uuidBytes } from "./id-bytes.ts";

/**
 * Which calls of a stretch have a word, as one row for the word instead of an index entry for each
 * of its calls: written once, when the stretch is full, that takes a tenth of the time and of the
 * room. What the stretch being filled has is in memory until then.
 *
 * Eight stretches that are full become a span, with one row for a word in place of eight: who looks
 * through years of calls reads so many rows less.
 */

/** Calls of a stretch; the first of it has a number that this divides. */
export const stretch_calls = 8_192;

/** Stretches of a span, and its calls: as many as two bytes tell apart. */
const span_stretches = 8;
export const span_calls: number = span_stretches * stretch_calls;

/** What of a call can be asked for, by the column it stands in. */
export const posted_columns = [
	"tenant",
	"user",
	"client",
	"server",
	"name",
	"method",
	"endpoint",
	"decision",
	"code",
	"session",
	/** Posted under `failed` where the call did. */
	"status",
] as const;
export type PostedColumn = (typeof posted_columns)[number];

/** The word of all calls that failed, in the column of the status. */
export const failed = 1;

/** A word as it stands in a row. */
export type PostedWord = number | string;

/** What is posted of a call: a word for each of `posted_columns`, null where it has none. */
export type PostedWords = readonly (PostedWord | null)[];

/** Calls that follow each other, and whose postings stand together: a stretch or a span. */
export interface Part {
	readonly first_seq: number;
	readonly calls: number;
	readonly kind: "open" | "stretch" | "span";
}

/** In the place of a column: parts of the ids of all calls, in their order. */
const ids_column = posted_columns.length;
/** Of a span, they stand in so many rows, by chance: one is read to find a call. */
const id_rows = 64;

/** The stretch of a call. */
export function stretchOf(seq: number): number {
	return Math.floor(seq / stretch_calls);
}

/** The calls of one column, by word. */
class PostedCalls {
	readonly words = new Map<PostedWord, number[]>();
	/** Most often the next call has the word of the last one. */
	#word: PostedWord | null = null;
	#calls: number[] = [];

	add(word: PostedWord | null, call: number): void {
		if (word === null) return;
		if (word !== this.#word) {
			let calls = this.words.get(word);
			if (calls === undefined) this.words.set(word, (calls = []));
			this.#word = word;
			this.#calls = calls;
		}
		this.#calls.push(call);
	}
}

/** A stretch that is being filled. */
class OpenStretch {
	readonly columns = posted_columns.map(() => new PostedCalls());
	readonly marks = new Uint32Array(stretch_calls);

	add(seq: number, words: PostedWords, id: Uint8Array | string): void {
		const call = seq % stretch_calls;
		this.marks[call] = markOf(id);
		for (let column = 0; column < words.length; column += 1) {
			this.columns[column]?.add(words[column] as PostedWord | null, call);
		}
	}
}

/** The postings of one database. Errors of the database throw. */
export class Postings {
	readonly #insert: StatementSync;
	readonly #insertSpan: StatementSync;
	readonly #get: StatementSync;
	readonly #getSpan: StatementSync;
	readonly #least: StatementSync;
	readonly #spans: StatementSync;
	readonly #posted: StatementSync;
	readonly #calls: StatementSync;
	readonly #remove: StatementSync;
	readonly #removeSpans: StatementSync;
	#open = new OpenStretch();
	/** The stretch that is being filled. */
	#last = 0;
	/** The first stretch that has postings; those behind it all do. */
	#first = 0;
	/** Spans, which have taken the place of their stretches. */
	#joined = new Set<number>();

	constructor(db: DatabaseSync) {
		this.#insert = db.prepare(
			"insert into postings (stretch, posted, word, calls) values (?, ?, ?, ?)",
		);
		this.#insertSpan = db.prepare(
			"insert into span_postings (span, posted, word, calls) values (?, ?, ?, ?)",
		);
		this.#get = db.prepare(
			"select calls from postings where stretch = ? and posted = ? and word = ?",
		);
		this.#getSpan = db.prepare(
			"select calls from span_postings where span = ? and posted = ? and word = ?",
		);
		this.#least = db.prepare("select min(stretch) as least from postings");
		// From one to the next: each has many rows.
		this.#spans = db.prepare(
			`with recursive spans (span) as (
				select min(span) from span_postings union all
				select (select min(span) from span_postings where span > spans.span)
				from spans where span is not null
			) select span from spans where span is not null`,
		);
		this.#posted = db.prepare(
			"select stretch, posted, word, calls from postings where stretch >= ? and stretch < ?",
		);
		this.#calls = db.prepare(
			`select seq, id, ${posted_columns.join(", ")} from calls where seq >= ? and seq < ?`,
		);
		this.#remove = db.prepare("delete from postings where stretch >= ? and stretch < ?");
		this.#removeSpans = db.prepare("delete from span_postings where span < ?");
	}

	/** The first stretch in which words are found here; what is older has none yet. */
	get first(): number {
		return this.#first;
	}

	/** Begins with what the database has, whose last call this is. */
	open(last_seq: number): void {
		this.#last = stretchOf(last_seq + 1);
		this.#open = this.#read(this.#last);
		const spans = this.#spans.all().map(({ span }) => Number(span));
		this.#joined = new Set(spans);
		const least = Number(this.#least.get()?.["least"] ?? this.#last);
		this.#first = Math.min(least, (spans[0] ?? Number.POSITIVE_INFINITY) * span_stretches);
	}

	/** Adds the next call, within a transaction. */
	add(seq: number, words: PostedWords, id: Uint8Array | string): void {
		this.#open.add(seq, words, id);
		if (stretchOf(seq + 1) === this.#last) return;
		this.#write(this.#last, this.#open);
		this.#last += 1;
		this.#open = new OpenStretch();
		const span = this.#last / span_stretches - 1;
		if (Number.isInteger(span) && span * span_stretches >= this.#first) this.#join(span);
	}

	/** Makes those of the newest stretch that has none yet, within a transaction. */
	addOlder(): void {
		this.#write(this.#first - 1, this.#read(this.#first - 1));
		this.#first -= 1;
	}

	/**
	 * Makes a span of stretches that an older version has left, within a transaction; false where
	 * none is left.
	 */
	joinOlder(): boolean {
		const least = Math.ceil(this.#first / span_stretches);
		for (let span = Math.floor(this.#last / span_stretches) - 1; span >= least; span -= 1) {
			if (this.#joined.has(span)) continue;
			this.#join(span);
			return true;
		}
		return false;
	}

	/** What has postings, from the part of a call to the first. */
	*partsFrom(seq: number): Generator<Part> {
		let stretch = Math.min(stretchOf(seq), this.#last);
		while (stretch >= this.#first) {
			const part = this.#partOf(stretch);
			yield part;
			stretch = stretchOf(part.first_seq) - 1;
		}
	}

	/** The calls of a part that have all of these words, the last one first. */
	*find(
		{ first_seq, calls, kind }: Part,
		wanted: readonly (readonly [PostedColumn, PostedWord])[],
	): Generator<number> {
		const sets: CallSet[] = [];
		for (const [column, word] of wanted) {
			const set = this.#setOf(kind, first_seq / calls, posted_columns.indexOf(column), word);
			if (set === undefined) return;
			sets.push(set);
		}
		for (const call of callsInAll(sets, calls)) yield first_seq + call;
	}

	/** The calls of a part that may have an id: nearly always one at the most. */
	*ofId({ first_seq, calls, kind }: Part, id: Uint8Array | string): Generator<number> {
		const mark = markOf(id);
		if (kind === "span") {
			const mixed = mixedMark(mark);
			for (const entry of this.#idsOf(first_seq / calls, mixed)) {
				if ((entry ^ mixed) >>> 16 === 0) yield first_seq + (entry & 0xffff);
			}
			return;
		}
		const marks = kind === "open" ? this.#open.marks : this.#marksOf(first_seq / calls);
		for (let at = marks.indexOf(mark); at >= 0; at = marks.indexOf(mark, at + 1)) {
			yield first_seq + at;
		}
	}

	/** Removes those of stretches before the one of this call, within a transaction. */
	trim(first_seq: number): void {
		const first = stretchOf(first_seq);
		this.#remove.run(0, first);
		this.#first = Math.max(this.#first, Math.min(first, this.#last));
		const span = Math.floor(first / span_stretches);
		this.#removeSpans.run(span);
		for (const one of this.#joined) if (one < span) this.#joined.delete(one);
	}

	#partOf(stretch: number): Part {
		const span = Math.floor(stretch / span_stretches);
		if (this.#joined.has(span)) {
			return { first_seq: span * span_calls, calls: span_calls, kind: "span" };
		}
		const kind = stretch === this.#last ? "open" : "stretch";
		return { first_seq: stretch * stretch_calls, calls: stretch_calls, kind };
	}

	#setOf(
		kind: Part["kind"],
		number: number,
		column: number,
		word: PostedWord,
	): CallSet | undefined {
		if (kind === "open") {
			const calls = this.#open.columns[column]?.words.get(word);
			return calls && setOf(calls, stretch_calls);
		}
		const statement = kind === "span" ? this.#getSpan : this.#get;
		const bytes = statement.get(number, column, word)?.["calls"];
		return bytes instanceof Uint8Array ? bytes : undefined;
	}

	#marksOf(stretch: number): Uint32Array {
		const bytes = this.#get.get(stretch, ids_column, 0)?.["calls"];
		return bytes instanceof Uint8Array ? numbersOf(bytes) : new Uint32Array(0);
	}

	#idsOf(span: number, mark: number): Uint32Array {
		const bytes = this.#getSpan.get(span, ids_column, mark % id_rows)?.["calls"];
		return bytes instanceof Uint8Array ? numbersOf(bytes) : new Uint32Array(0);
	}

	#write(stretch: number, { columns, marks }: OpenStretch): void {
		for (const [column, { words }] of columns.entries()) {
			for (const [word, calls] of words) {
				this.#insert.run(stretch, column, word, setOf(calls, stretch_calls));
			}
		}
		this.#insert.run(stretch, ids_column, 0, new Uint8Array(marks.buffer));
	}

	/** Puts a span in the place of its stretches. */
	#join(span: number): void {
		const first = span * span_stretches;
		const columns = posted_columns.map(() => new Map<PostedWord, CallSet[]>());
		const ids = Array.from({ length: id_rows }, (): number[] => []);
		for (const row of this.#posted.iterate(first, first + span_stretches)) {
			const stretch = Number(row["stretch"]) - first;
			const column = Number(row["posted"]);
			const calls = row["calls"] as Uint8Array;
			if (column === ids_column) {
				for (const [call, mark] of numbersOf(calls).entries()) {
					const mixed = mixedMark(mark);
					ids[mixed % id_rows]?.push((mixed & 0xffff_0000) | (stretch * stretch_calls + call));
				}
				continue;
			}
			const words = columns[column] as Map<PostedWord, CallSet[]>;
			const word = row["word"] as PostedWord;
			let sets = words.get(word);
			if (sets === undefined) words.set(word, (sets = Array<CallSet>(span_stretches)));
			sets[stretch] = calls;
		}
		for (const [column, words] of columns.entries()) {
			for (const [word, sets] of words) {
				this.#insertSpan.run(span, column, word, joinSets(sets, stretch_calls));
			}
		}
		for (const [row, entries] of ids.entries()) {
			const bytes = new Uint8Array(Uint32Array.from(entries).buffer);
			this.#insertSpan.run(span, ids_column, row, bytes);
		}
		this.#remove.run(first, first + span_stretches);
		this.#joined.add(span);
	}

	/** A stretch as its calls say. */
	#read(stretch: number): OpenStretch {
		const open = new OpenStretch();
		const first = stretch * stretch_calls;
		for (const row of this.#calls.iterate(first, first + stretch_calls)) {
			const words = posted_columns.map((column) => postedWord(column, row[column]));
			open.add(Number(row["seq"]), words, row["id"] as Uint8Array | string);
		}
		return open;
	}
}

/** Under which word the calls of a session are posted: the digits of what stands in the row. */
export function postedId(id: string): string {
	return uuidBytes(id) === undefined ? id : id.replaceAll("-", "");
}

/** What is posted of what stands in a column. */
function postedWord(column: PostedColumn, value: unknown): PostedWord | null {
	if (column === "status") return Number(value) > 0 ? failed : null;
	if (typeof value === "number" || typeof value === "string") return value;
	return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : null;
}

/** 32 bits of an id: the end of a UUID is by chance. */
function markOf(id: Uint8Array | string): number {
	const bytes = typeof id === "string" ? Buffer.from(id) : id;
	let mark = 0;
	for (let at = Math.max(0, bytes.length - 4); at < bytes.length; at += 1) {
		mark = (mark << 8) | (bytes[at] as number);
	}
	return mark >>> 0;
}

/** The same with its bits spread, also where ids count up. */
function mixedMark(mark: number): number {
	return Math.imul(mark, 0x9e37_79b1) >>> 0;
}

/** When an id says it was made, in milliseconds (UUID version 7); undefined where it does not. */
export function madeAt(id: string): number | undefined {
	const bytes = uuidBytes(id);
	if (bytes === undefined || (bytes[6] as number) >>> 4 !== 7) return undefined;
	return Buffer.from(bytes.buffer).readUIntBE(0, 6);
}
