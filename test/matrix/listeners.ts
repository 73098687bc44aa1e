import type { Json } from "./peer.ts";

/** Who listens for which notifications. */
export class Listeners {
	readonly #listeners = new Map<string, Set<(params: Json) => void>>();

	/** Adds a listener; the returned function removes it. */
	add(method: string, listener: (params: Json) => void): () => void {
		const known = this.#listeners.get(method) ?? new Set();
		known.add(listener);
		this.#listeners.set(method, known);
		return () => known.delete(listener);
	}

	tell(method: string, params: Json): void {
		for (const listener of this.#listeners.get(method) ?? []) listener(params);
	}
}
