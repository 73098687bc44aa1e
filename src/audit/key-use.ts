import { readKeyLine } from "./key-line.ts";

/**
 * Which keys the payloads of a log need. Keys are no part of the chain, because they are there to
 * be destroyed; but whoever destroys one says in the chain first which. So a key that is neither in
 * its file nor among those was taken away by somebody else.
 */

/** Logs that say that they have this format, or a later one, name the keys that are destroyed. */
const named_format = 4;

/** A key that is gone, and the first payloads that need it. */
export interface LostKey {
	readonly id: string;
	/** Number of the entry. */
	readonly seq: number;
	/** How many keys are gone in all. */
	readonly keys: number;
}

/** What the entries of a log say of keys. */
export class KeyUse {
	/** The first entry of payloads by the id of their key. */
	readonly #needed = new Map<string, number>();
	#is_named = false;

	/** Takes the next entry. */
	read(seq: number, entry: Readonly<Record<string, unknown>>): void {
		switch (entry["kind"]) {
			case "start":
			// Where the start itself was let go of.
			case "pruned":
				this.#is_named = Number(entry["format"]) >= named_format;
				break;
			case "block":
				if (this.#is_named) this.#need(seq, String(entry["key"]));
				break;
			case "erased":
			case "expired":
				this.#destroyed(entry["ids"], entry["keys"]);
				break;
		}
	}

	/** The first key that none of these files has; undefined where every one is accounted for. */
	lost(files: readonly (Buffer | undefined)[]): LostKey | undefined {
		const there = new Set(files.flatMap((bytes) => (bytes === undefined ? [] : idsIn(bytes))));
		const gone = [...this.#needed].filter(([id]) => !there.has(id));
		const [first] = gone;
		return first && { id: first[0], seq: first[1], keys: gone.length };
	}

	#need(seq: number, id: string): void {
		if (!this.#needed.has(id)) this.#needed.set(id, seq);
	}

	#destroyed(ids: unknown, count: unknown): void {
		if (Array.isArray(ids)) for (const id of ids as string[]) this.#needed.delete(id);
		// An older version, which was run again: it may have been any of them.
		else if (count !== 0) this.#needed.clear();
	}
}

function idsIn(bytes: Buffer): string[] {
	const keys = bytes.toString("utf8").split("\n").map(readKeyLine);
	return keys.flatMap((key) => (key === undefined ? [] : [key.id]));
}
