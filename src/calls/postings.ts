import type { DatabaseSync, StatementSync } from "node:sqlite";
import { uuidBytes } from "./id-bytes.ts";

/**
 * Which calls of a stretch have a word, as one row for the word instead of an index entry for each
 * of its calls: written once, when the stretch is full, that takes a tenth of the time and of the
 * room. What the stretch being filled has is in memory until then.
 */

/** Calls of a stretch; the first of it has a number that this divides. */
export const stretch_calls = 8_192;

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

/** Which calls of a stretch, from the first to the last: a bit each. */
export type CallSet = Uint32Array;

const set_bytes = stretch_calls / 8;
const set_words = set_bytes / 4;
/** Fewer calls than this are listed; of more there is a set. */
const listed_max = set_bytes / 2;
/** In the place of a column: parts of the ids of all calls, in their order. */
const ids_column = posted_columns.length;

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
	readonly #get: StatementSync;
	readonly #least: StatementSync;
	readonly #calls: StatementSync;
	readonly #remove: StatementSync;
	#open = new OpenStretch();
	/** The stretch that is being filled. */
	#last = 0;
	/** The first stretch that has postings; those behind it all do. */
	#first = 0;

	constructor(db: DatabaseSync) {
		this.#insert = db.prepare(
			"insert into postings (stretch, posted, word, calls) values (?, ?, ?, ?)",
		);
		this.#get = db.prepare(
			"select calls from postings where stretch = ? and posted = ? and word = ?",
		);
		this.#least = db.prepare("select min(stretch) as least from postings");
		this.#calls = db.prepare(
			`select seq, id, ${posted_columns.join(", ")} from calls where seq >= ? and seq < ?`,
		);
		this.#remove = db.prepare("delete from postings where stretch < ?");
	}

	/** The first stretch in which words are found here; what is older has none yet. */
	get first(): number {
		return this.#first;
	}

	/** Begins with what the database has, whose last call this is. */
	open(last_seq: number): void {
		this.#last = stretchOf(last_seq + 1);
		this.#open = this.#read(this.#last);
		this.#first = Number(this.#least.get()?.["least"] ?? this.#last);
	}

	/** Adds the next call, within a transaction. */
	add(seq: number, words: PostedWords, id: Uint8Array | string): void {
		this.#open.add(seq, words, id);
		if (stretchOf(seq + 1) === this.#last) return;
		this.#write(this.#last, this.#open);
		this.#last += 1;
		this.#open = new OpenStretch();
	}

	/** Makes those of the newest stretch that has none yet, within a transaction. */
	addOlder(): void {
		this.#write(this.#first - 1, this.#read(this.#first - 1));
		this.#first -= 1;
	}

	/** The calls of a stretch that have all of these words; undefined where none has. */
	find(
		stretch: number,
		wanted: readonly (readonly [PostedColumn, PostedWord])[],
	): CallSet | undefined {
		let found: CallSet | undefined;
		for (const [column, word] of wanted) {
			const set = this.#setOf(stretch, posted_columns.indexOf(column), word);
			if (set === undefined) return undefined;
			if (found === undefined) found = set;
			else for (let at = 0; at < set_words; at += 1) (found[at] as number) &= set[at] as number;
		}
		return found;
	}

	/** The calls of a stretch that may have an id: nearly always one at the most. */
	*ofId(stretch: number, id: Uint8Array | string): Generator<number> {
		const marks = stretch === this.#last ? this.#open.marks : this.#marksOf(stretch);
		const mark = markOf(id);
		for (let at = marks.indexOf(mark); at >= 0; at = marks.indexOf(mark, at + 1)) {
			yield stretch * stretch_calls + at;
		}
	}

	/** Removes those of stretches before the one of this call, within a transaction. */
	trim(first_seq: number): void {
		this.#remove.run(stretchOf(first_seq));
		this.#first = Math.max(this.#first, Math.min(stretchOf(first_seq), this.#last));
	}

	#setOf(stretch: number, column: number, word: PostedWord): CallSet | undefined {
		if (stretch === this.#last) {
			const calls = this.#open.columns[column]?.words.get(word);
			return calls && setOf(calls);
		}
		const bytes = this.#get.get(stretch, column, word)?.["calls"];
		if (!(bytes instanceof Uint8Array)) return undefined;
		if (bytes.length === set_bytes) return new Uint32Array(aligned(bytes).buffer, 0, set_words);
		return setOf(new Uint16Array(aligned(bytes).buffer, 0, bytes.length / 2));
	}

	#marksOf(stretch: number): Uint32Array {
		const bytes = this.#get.get(stretch, ids_column, 0)?.["calls"];
		if (!(bytes instanceof Uint8Array)) return new Uint32Array(0);
		return new Uint32Array(aligned(bytes).buffer, 0, bytes.length / 4);
	}

	#write(stretch: number, { columns, marks }: OpenStretch): void {
		for (const [column, { words }] of columns.entries()) {
			for (const [word, calls] of words) {
				this.#insert.run(stretch, column, word, bytesOf(calls));
			}
		}
		this.#insert.run(stretch, ids_column, 0, new Uint8Array(marks.buffer));
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

/** The numbers of the calls in a set, the last one first. */
export function* callsIn(set: CallSet): Generator<number> {
	for (let at = set_words - 1; at >= 0; at -= 1) {
		let bits = set[at] as number;
		while (bits !== 0) {
			const bit = 31 - Math.clz32(bits);
			bits ^= 1 << bit;
			yield at * 32 + bit;
		}
	}
}

function setOf(calls: Iterable<number>): CallSet {
	const set = new Uint32Array(set_words);
	for (const call of calls) (set[call >>> 5] as number) |= 1 << (call & 31);
	return set;
}

function bytesOf(calls: readonly number[]): Uint8Array {
	const numbers = calls.length < listed_max ? Uint16Array.from(calls) : setOf(calls);
	return new Uint8Array(numbers.buffer);
}

/** Numbers can be read only where they begin at a multiple of their length. */
function aligned(bytes: Uint8Array): Uint8Array {
	return bytes.byteOffset === 0 ? bytes : bytes.slice();
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

/** When an id says it was made, in milliseconds (UUID version 7); undefined where it does not. */
export function madeAt(id: string): number | undefined {
	const bytes = uuidBytes(id);
	if (bytes === undefined || (bytes[6] as number) >>> 4 !== 7) return undefined;
	return Buffer.from(bytes.buffer).readUIntBE(0, 6);
}
