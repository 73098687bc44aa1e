import assert from "node:assert/strict";
import { test } from "node:test";
import { globsOverlap, matchesGlob } from "./glob.ts";

/** Every text of these characters up to a length. */
function texts(characters: string, length: number): string[] {
	const all = [""];
	for (let from = 0, size = 0; size < length; size += 1) {
		const until = all.length;
		for (; from < until; from += 1) for (const char of characters) all.push(`${all[from]}${char}`);
	}
	return all;
}

test("two patterns overlap where some name is matched by both, and nowhere else", () => {
	const names = texts("ab", 6);
	const patterns = texts("ab*?", 3);
	for (const one of patterns) {
		for (const other of patterns) {
			const both = names.some((name) => matchesGlob(one, name) && matchesGlob(other, name));
			assert.equal(globsOverlap(one, other), both, `${one} and ${other}`);
		}
	}
});
