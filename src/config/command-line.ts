/**
 * Splits a command written as one text into a program and its arguments. There is no shell:
 * `$`, `|`, `;`, `&`, `*`, `>` and the like are ordinary characters.
 *
 * The rules: white space separates words; single quotes keep everything; double quotes keep
 * everything but `\"` and `\\`; outside quotes a backslash keeps a following space, quote or
 * backslash and is itself otherwise, so that Windows paths need no doubling.
 */

/** One word, with the offset in the text where it starts. */
export interface CommandWord {
	readonly text: string;
	readonly index: number;
}

/** The words, or the offset of the quote that is never closed. */
export type SplitCommand =
	| { readonly ok: true; readonly words: readonly CommandWord[] }
	| { readonly ok: false; readonly index: number };

const white_space = /\s/;

/** Splits `command` by the rules above. */
export function splitCommand(command: string): SplitCommand {
	const words: CommandWord[] = [];
	let word: { text: string; index: number } | undefined;
	let at = 0;
	while (at < command.length) {
		const char = command.charAt(at);
		if (white_space.test(char)) {
			if (word !== undefined) words.push(word);
			word = undefined;
			at += 1;
			continue;
		}
		word ??= { text: "", index: at };
		if (char === "'" || char === '"') {
			const quoted = readQuoted(command, at, char);
			if (quoted === undefined) return { ok: false, index: at };
			word.text += quoted.text;
			at = quoted.end;
		} else if (char === "\\" && /[\s'"\\]/.test(command.charAt(at + 1))) {
			word.text += command.charAt(at + 1);
			at += 2;
		} else {
			word.text += char;
			at += 1;
		}
	}
	if (word !== undefined) words.push(word);
	return { ok: true, words };
}

/** Reads from an opening quote to behind the closing one. */
function readQuoted(
	command: string,
	start: number,
	quote: string,
): { text: string; end: number } | undefined {
	let text = "";
	let at = start + 1;
	while (at < command.length) {
		const char = command.charAt(at);
		if (char === quote) return { text, end: at + 1 };
		const next = command.charAt(at + 1);
		if (quote === '"' && char === "\\" && (next === '"' || next === "\\")) {
			text += next;
			at += 2;
		} else {
			text += char;
			at += 1;
		}
	}
	return undefined;
}

/** Writes a program and its arguments as one text that splits into the same words. */
export function joinCommand(words: readonly string[]): string {
	return words.map(quoteWord).join(" ");
}

function quoteWord(word: string): string {
	if (word !== "" && !/[\s'"\\]/.test(word)) return word;
	if (!word.includes("'")) return `'${word}'`;
	return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
