import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { scanToml } from "./toml-scan.ts";

/** Each statement as its kind, its keys and its text. */
function scan(text: string): [string, readonly string[], string][] {
	return scanToml(text).map(({ kind, keys, start, end }) => [kind, keys, text.slice(start, end)]);
}

test("tables and pairs are told apart, each with the line it ends on", () => {
	assert.deepEqual(scan("# c\na = 1 # d\n\n[t]\n  b = 2\n[[l]]\nc = 3"), [
		["pair", ["a"], "a = 1 # d\n"],
		["table", ["t"], "[t]\n"],
		["pair", ["b"], "b = 2\n"],
		["array_table", ["l"], "[[l]]\n"],
		["pair", ["c"], "c = 3"],
	]);
});

const keys: readonly (readonly [string, readonly string[]])[] = [
	["a", ["a"]],
	["a-b_1", ["a-b_1"]],
	["a.b.c", ["a", "b", "c"]],
	["a . b", ["a", "b"]],
	['"a.b"', ["a.b"]],
	["'a.b'.c", ["a.b", "c"]],
	['"q\\"uote"', ['q"uote']],
	["'back\\slash'", ["back\\slash"]],
	['"\\u00e9"', ["é"]],
	['"\\U0001F600"', ["😀"]],
	['"]"', ["]"]],
	['"a = b # c"', ["a = b # c"]],
	['""', [""]],
	["1979", ["1979"]],
];

for (const [written, read] of keys) {
	test(`the key ${written} is read in a header and in a pair`, () => {
		assert.deepEqual(scan(`[${written}]\n`), [["table", read, `[${written}]\n`]]);
		assert.deepEqual(scan(`[ ${written} ] # c\n`)[0]?.[1], read);
		assert.deepEqual(scan(`${written} = 1\n`), [["pair", read, `${written} = 1\n`]]);
	});
}

const values: readonly string[] = [
	"1",
	'"# [x]"',
	"'# [x]'",
	'"a \\" ] \\\\"',
	'"""\n[x]\n"""',
	'""" a \\""" b """',
	'"""a"""""',
	"'''\n[x] \\\n'''",
	"''' a '''''",
	'["[", "]"]',
	"[\n\t1, # ]\n\t[2, '''\n]'''],\n]",
	"{ a = '}', b = [1] }",
	"{ a = { b = 1 } }",
	"2026-11-21T03:04:05Z",
];

for (const value of values) {
	test(`the value ${JSON.stringify(value)} is passed over whole`, () => {
		for (const line_break of ["\n", "\r\n"]) {
			const first = `a = ${value} # ["${line_break}`.replaceAll("\n", line_break);
			const text = `${first.replaceAll("\r\r", "\r")}[t]${line_break}`;
			assert.deepEqual(
				scanToml(text).map(({ keys: read }) => read),
				[["a"], ["t"]],
				text,
			);
		}
	});
}

test("nothing, comments and white space have no statements", () => {
	for (const text of ["", "\n", " \t\r\n", "# [a]", "# a = 1\n\n#\n"]) {
		assert.deepEqual(scan(text), []);
	}
});

const scalar = fc.oneof(
	fc.string(),
	fc.integer(),
	fc.boolean(),
	fc.double({ noNaN: true, noDefaultInfinity: true }),
	fc.array(fc.string(), { maxLength: 3 }),
);
const table = fc.dictionary(fc.string(), scalar, { maxKeys: 4, noNullPrototype: true });
const document = fc.dictionary(fc.string(), fc.oneof(scalar, table, fc.array(table)), {
	maxKeys: 5,
	noNullPrototype: true,
});

test("statements of whatever the TOML library writes cover the document, in order", () => {
	fc.assert(
		fc.property(document, (value) => {
			const text = stringify(value);
			const statements = scanToml(text);
			let covered = 0;
			for (const { start, end } of statements) {
				assert.ok(start >= covered && end > start);
				assert.equal(text.slice(covered, start).trim(), "");
				covered = end;
			}
			assert.equal(text.slice(covered).trim(), "");
			// Every statement alone is a document, and together they name all top-level keys.
			for (const { start, end } of statements) parse(text.slice(start, end));
			const named = new Set(statements.map(({ keys: read }) => read[0]));
			for (const key of Object.keys(value)) {
				const held = value[key];
				if (Array.isArray(held) && held.length === 0) continue;
				assert.ok(named.has(key), `${JSON.stringify(key)} in ${text}`);
			}
		}),
		{ numRuns: 500 },
	);
});
