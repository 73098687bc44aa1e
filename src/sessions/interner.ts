/** Different texts remembered; beyond that, remembering starts anew. */
const texts_max = 4_096;

/** Longer texts are not worth remembering: few clients say the same at such length. */
const text_chars_max = 4_096;

/** Hands out one copy of equal texts, so that many owners share it. */
export class Interner {
	readonly #texts = new Map<string, string>();

	/** The text, in the copy that was handed out before if there was one. */
	intern(text: string): string {
		if (text.length > text_chars_max) return text;
		const known = this.#texts.get(text);
		if (known !== undefined) return known;
		if (this.#texts.size >= texts_max) this.#texts.clear();
		this.#texts.set(text, text);
		return text;
	}
}
