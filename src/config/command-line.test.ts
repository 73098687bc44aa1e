import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { joinCommand, splitCommand } from "./command-line.ts";

function wordsOf(command: string): string[] {
	const split = splitCommand(command);
	assert.ok(split.ok, command);
	return split.words.map((word) => word.text);
}

const cases: readonly (readonly [title: string, command: string, words: readonly string[]])[] = [
	["white space separates words", " npx  -y\tpkg\n --flag ", ["npx", "-y", "pkg", "--flag"]],
	["nothing is no words", "", []],
	["white space alone is no words", " \t\n", []],
	["single quotes keep everything", `a 'b "c" \\d $e' f`, ["a", `b "c" \\d $e`, "f"]],
	["double quotes keep everything but two escapes", `"a \\" \\\\ \\n $x"`, [`a " \\ \\n $x`]],
	["quotes join with what touches them", `--name='two words'x`, ["--name=two wordsx"]],
	["empty quotes are an empty word", `run '' ""`, ["run", "", ""]],
	["a backslash keeps a space", "a\\ b c", ["a b", "c"]],
	["a backslash keeps a quote and itself", `\\" \\' \\\\`, [`"`, "'", "\\"]],
	["Windows paths need no doubling", "C:\\tools\\x.exe -v", ["C:\\tools\\x.exe", "-v"]],
	["a backslash at the end is itself", "a\\", ["a\\"]],
	["what a shell acts on is ordinary", "a|b;c&&d>$e*", ["a|b;c&&d>$e*"]],
	["words of metacharacters are ordinary", "a | b ; $(c) `d`", ["a", "|", "b", ";", "$(c)", "`d`"]],
];

for (const [title, command, words] of cases) {
	test(`splitting a command: ${title}`, () => assert.deepEqual(wordsOf(command), words));
}

test("an open quote is reported at its offset", () => {
	assert.deepEqual(splitCommand(`run "two words`), { ok: false, index: 4 });
	assert.deepEqual(splitCommand(`run 'it''s`), { ok: false, index: 8 });
});

test("each word tells where it starts", () => {
	const split = splitCommand(`a  "b c" d`);
	assert.ok(split.ok);
	assert.deepEqual(
		split.words.map((word) => word.index),
		[0, 3, 9],
	);
});

test("joined words split into the same words", () => {
	const character = fc.constantFrom("a", "B", "-", " ", "\t", "\n", "'", '"', "\\", "$", "|", "é");
	const word = fc.oneof(fc.string(), fc.string({ unit: character }));
	fc.assert(
		fc.property(fc.array(word), (words) => {
			assert.deepEqual(wordsOf(joinCommand(words)), words);
		}),
	);
});

test("words without quotes, backslashes and spaces split as plain text does", () => {
	const plain = fc.stringMatching(/^[!#-&(-[\]-~]+$/);
	fc.assert(
		fc.property(fc.array(plain), (words) => {
			assert.deepEqual(wordsOf(words.join("  ")), words);
		}),
	);
});

test("splitting never throws, and an offset always points at a quote", () => {
	fc.assert(
		fc.property(fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "\\") }), (command) => {
			const split = splitCommand(command);
			if (!split.ok) assert.match(command.charAt(split.index), /['"]/);
		}),
	);
});
