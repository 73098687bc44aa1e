import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Words that are kept once; any further one stands in its row as it is. */
const words_max = 50_000;
const word_chars_max = 128;
/** Stands before a word that is no number here, so that one of digits is not taken for one. */
const mark = "=";

/**
 * Words that repeat, as numbers. Halves of characters, which a client may send, are what SQLite
 * makes of them from the start: else a word would not be known once it was read back.
 */
export class Words {
	readonly #ids = new Map<string, number>();
	readonly #words = new Map<number, string>();
	readonly #insert: StatementSync;

	constructor(db: DatabaseSync) {
		this.#insert = db.prepare("insert into words (id, word) values (?, ?)");
		for (const row of db.prepare("select id, word from words").all()) {
			this.#remember(Number(row["id"]), String(row["word"]));
		}
	}

	/** What stands in a row for a word; a new one is written down, within a transaction. */
	write(text: string | null): number | string | null {
		if (text === null) return null;
		const known = this.#ids.get(text);
		if (known !== undefined) return known;
		const word = text.toWellFormed();
		if (word !== text) return this.write(word);
		if (this.#ids.size >= words_max || word.length > word_chars_max) return `${mark}${word}`;
		const id = this.#ids.size + 1;
		this.#insert.run(id, word);
		this.#remember(id, word);
		return id;
	}

	/** The same for the name of what is called: uris are as many as there are resources. */
	writeName(name: string | null, is_tool: boolean): number | string | null {
		if (name === null || is_tool || !name.includes(":")) return this.write(name);
		return this.find(name);
	}

	/** What stands in a row for a word: a number once it is known, else the word itself. */
	find(text: string): number | string {
		const word = text.toWellFormed();
		return this.#ids.get(word) ?? `${mark}${word}`;
	}

	/** The word that a row means. */
	read(value: unknown): string | null {
		if (typeof value === "string") return value.slice(mark.length);
		return typeof value === "number" ? (this.#words.get(value) ?? null) : null;
	}

	/** After a transaction that did not come about: only what is in the database is known. */
	forget(db: DatabaseSync): void {
		this.#ids.clear();
		this.#words.clear();
		for (const row of db.prepare("select id, word from words").all()) {
			this.#remember(Number(row["id"]), String(row["word"]));
		}
	}

	#remember(id: number, word: string): void {
		this.#ids.set(word, id);
		this.#words.set(id, word);
	}
}
