import type { DatabaseSync, StatementSync } from "node:sqlite";
import { unspacedTerms, unspacedWords } from "./unspaced.ts";

/**
 * The words of errors, and which calls have them. A search is for the beginnings of words. SQLite
 * gathers all calls of a beginning before it tells the first; of a whole word it tells one after
 * the other. So a beginning is replaced by the words that begin so, where they are few.
 */

/** More words than this are not looked up one by one. */
const words_max = 12;
/** Calls that are passed over one by one, which takes as long as to ask for one in particular. */
const passed_max = 50;
/** Of these it is known how SQLite compares them: without regard to case. */
const plain_word = /^[a-z0-9]+$/;
/** Before every call. */
const none = -1;
/** Behind a word, and before every other that is behind it. */
const behind = "\u0001";

/** The calls whose errors have some words, from the last to the first. */
export interface FoundErrors {
	/**
	 * The next that is not behind this one, each time before the last; undefined where there is none.
	 * Where many would have to be passed over, it may be one that has not the words: this one has
	 * them only if it is what is returned.
	 */
	upTo(seq: number): number | undefined;
}

/** The words of errors of one database. Errors of the database throw. */
export class ErrorWords {
	readonly #insert: StatementSync;
	readonly #remove: StatementSync;
	readonly #find: StatementSync;
	readonly #has: StatementSync;
	readonly #word: StatementSync;

	constructor(db: DatabaseSync) {
		db.exec(
			"create virtual table temp.words_of_errors using fts5vocab(main, error_words, instance)",
		);
		this.#insert = db.prepare(
			"insert into error_words (rowid, error, code, tool) values (?, ?, ?, ?)",
		);
		this.#remove = db.prepare("delete from error_words where rowid = ?");
		this.#find = db.prepare(
			`select rowid from error_words where error_words match ? and rowid >= ? and rowid <= ?
			order by rowid desc`,
		);
		this.#has = db.prepare("select 1 from error_words where error_words match ? and rowid = ?");
		this.#word = db.prepare("select term from words_of_errors where term >= ? limit 1");
	}

	/** Adds the words of a call that failed, within a transaction. */
	add(seq: number, error: string, code: string, tool: string): void {
		const more = unspacedWords(`${error} ${tool}`);
		this.#insert.run(seq, more === "" ? error : `${error} ${more}`, code, tool);
	}

	/** Removes those of a call, within a transaction. */
	remove(seq: number): void {
		this.#remove.run(seq);
	}

	/**
	 * The calls from a first one on with all of these words, each the beginning of one, or anything
	 * within a run of a script without spaces.
	 */
	find(beginnings: readonly string[], low: number): FoundErrors {
		const terms = beginnings.map((one) => this.#wordsOf(one.toLowerCase()));
		const match = terms.map((one, index) => one ?? anywhere(beginnings[index] ?? "")).join(" AND ");
		const is_quick = !terms.includes(undefined);
		let rows: Iterator<Record<string, unknown>> | undefined;
		let at = Number.POSITIVE_INFINITY;
		return {
			upTo: (seq) => {
				rows ??= this.#find.iterate(match, low, seq);
				for (let passed = 0; at > seq; passed += 1) {
					if (is_quick && passed === passed_max) {
						return this.#has.get(match, seq) === undefined ? seq - 1 : seq;
					}
					const { value, done } = rows.next();
					if (done === true) at = none;
					else at = Number(value["rowid"]);
				}
				return at === none ? undefined : at;
			},
		};
	}

	/** The words that begin so, as a condition; undefined where they are many. */
	#wordsOf(beginning: string): string | undefined {
		if (!plain_word.test(beginning)) return undefined;
		const words: string[] = [];
		let from = beginning;
		for (;;) {
			const word = this.#word.get(from)?.["term"];
			if (typeof word !== "string" || !word.startsWith(beginning)) break;
			if (words.length === words_max) return undefined;
			words.push(`"${word}"`);
			from = `${word}${behind}`;
		}
		return words.length === 0 ? `"${beginning}"` : `(${words.join(" OR ")})`;
	}
}

/** A word as a condition. What an older version wrote is found by the beginnings of its runs. */
function anywhere(word: string): string {
	const beginning = `"${word}"*`;
	const terms = unspacedTerms(word);
	if (terms === undefined) return beginning;
	const within = terms.map(({ text, is_beginning }) => (is_beginning ? `"${text}"*` : `"${text}"`));
	return `(${beginning} OR (${within.join(" AND ")}))`;
}
