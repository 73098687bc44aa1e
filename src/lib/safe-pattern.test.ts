import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { safePattern } from "./safe-pattern.ts";

const harmless = [
	"^[a-z0-9_-]{1,64}$",
	"^\\d{4}-\\d{2}-\\d{2}$",
	"^[^@]+@[^@]+\\.[^@]+$",
	"^(open|closed)$",
	"^(?:get|set)_\\w+$",
	"(?<year>\\d{4})",
	"colou?r",
	"^.*$",
	"[()*+|]+",
	"^(ab){2}c",
	"\\p{L}+",
	"",
];

const harmful = [
	"(a+)+$",
	"(a*)*",
	"^(a|aa)+$",
	"(a|b|ab)*c",
	"([a-z]+)*$",
	"(.*)*x",
	"((a{2,})b?)*",
	"(?=a)b",
	"(?!a)b",
	"(?<=a)b",
	"(?<!a)b",
	"(a)\\1",
	"(?<n>a)\\k<n>",
	"(a?b|c){1,9}",
	"(",
	"a)",
	"[",
	"a{2,1}",
	"*",
];

test("ordinary patterns may be run", () => {
	for (const source of harmless) assert.ok(safePattern(source), source);
});

test("patterns that can take exponentially long, look around or are broken may not", () => {
	for (const source of harmful) assert.equal(safePattern(source), undefined, source);
	assert.equal(safePattern("a".repeat(2_000)), undefined);
});

test("the more loops a pattern has, the shorter the texts it may be given", () => {
	const lengths = ["^a$", "^a+$", "^a+b+$", "^a+b+c+$"].map((source) => {
		return safePattern(source)?.text_chars_max ?? 0;
	});
	assert.deepEqual(
		lengths,
		lengths.toSorted((a, b) => b - a),
	);
	assert.equal(lengths[1], 10_000_000);
	assert.equal(lengths[3], 215);
});

/** What expressions are made of, joined at random. */
const piece = fc.constantFrom("a", "b", ".", "\\d", "[ab]", "(a|b)", "(a+)", "(ab)", "(?:a?b)");
const times = fc.constantFrom("", "", "?", "*", "+", "{2}", "{1,3}", "{2,}", "+?");
const source = fc
	.array(fc.tuple(piece, times), { maxLength: 6 })
	.map((parts) => parts.map(([what, count]) => what + count).join(""));

test("whatever is let pass is through with the longest text it may be given", () => {
	fc.assert(
		fc.property(source, fc.constantFrom("a", "ab", "b", "0"), (text, letters) => {
			const safe = safePattern(text);
			if (safe === undefined) return;
			const chars = Math.min(safe.text_chars_max, 20_000);
			const given = `${letters.repeat(chars).slice(0, chars - 1)}!`;
			// A pattern that explodes would not end, and the run's own limit would say so.
			assert.equal(typeof safe.regexp.test(given), "boolean");
		}),
		{ numRuns: 300 },
	);
});
