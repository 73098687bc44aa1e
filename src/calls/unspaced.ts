/**
 * Scripts that are written without spaces between words: FTS5 takes a whole run of theirs for one
 * word. Kana's long vowel mark is of no script of its own.
 */
const run = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30fc]+/gu;
const words = /[\p{L}\p{N}]+/gu;

/**
 * What makes a text's unspaced runs findable from anywhere within: the pairs of neighbours in each,
 * and its last character. Letters that stand next to a run, without a space, are a word of their
 * own. Empty where there is no such run.
 */
export function unspacedWords(text: string): string {
	if (text.search(run) === -1) return "";
	const found = new Set<string>();
	for (const [word] of text.normalize("NFC").matchAll(words)) {
		const parts = partsOf(word);
		if (!parts.some(({ is_run }) => is_run)) continue;
		for (const { is_run, part } of parts) {
			if (!is_run) found.add(part);
			else for (const pair of pairsOf(part, true)) found.add(pair);
		}
	}
	return [...found].join(" ");
}

/** One thing that a search for a word looks for. */
export interface UnspacedTerm {
	readonly text: string;
	/** Whether more may follow it in its word. */
	readonly is_beginning: boolean;
}

/**
 * What `unspacedWords` has of every text with this word in it; undefined where the word has no
 * unspaced run. That the pairs stand next to each other is not said by an index without places.
 */
export function unspacedTerms(word: string): readonly UnspacedTerm[] | undefined {
	const parts = partsOf(word);
	if (!parts.some(({ is_run }) => is_run)) return undefined;
	return parts.flatMap(({ is_run, part }) =>
		is_run
			? pairsOf(part, false).map((text) => ({ text, is_beginning: Array.from(text).length === 1 }))
			: [{ text: part, is_beginning: true }],
	);
}

/** A word as its runs, and what stands between them. */
function partsOf(word: string): { readonly is_run: boolean; readonly part: string }[] {
	const parts: { is_run: boolean; part: string }[] = [];
	let at = 0;
	for (const { 0: part, index } of word.matchAll(run)) {
		if (index > at) parts.push({ is_run: false, part: word.slice(at, index) });
		parts.push({ is_run: true, part });
		at = index + part.length;
	}
	if (at < word.length) parts.push({ is_run: false, part: word.slice(at) });
	return parts;
}

function pairsOf(part: string, has_last: boolean): string[] {
	const characters = Array.from(part);
	const pairs = characters.slice(1).map((character, index) => `${characters[index]}${character}`);
	const last = characters.at(-1);
	return last !== undefined && (has_last || pairs.length === 0) ? [...pairs, last] : pairs;
}
