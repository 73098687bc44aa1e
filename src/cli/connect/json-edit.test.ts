import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as jsonc from "jsonc-parser";
import { readJsonEntry, removeJsonEntry, setJsonEntry } from "./json-edit.ts";

const place = { section: "mcpServers", name: "moorage" };
const entry = { type: "http", url: "http://127.0.0.1:8642/mcp" };
const options = { allowTrailingComma: true, disallowComments: false };

function set(text: string): string {
	const edited = setJsonEntry(text, place, entry);
	assert.ok(edited.ok, `${JSON.stringify(edited)} for ${text}`);
	return edited.value;
}

function remove(text: string): string {
	const edited = removeJsonEntry(text, place);
	assert.ok(edited.ok, `${JSON.stringify(edited)} for ${text}`);
	return edited.value;
}

const member = `"moorage": {
      "type": "http",
      "url": "http://127.0.0.1:8642/mcp"
    }`;

const examples: readonly (readonly [string, string, string])[] = [
	["an empty file", "", `{\n  "mcpServers": {\n    ${member}\n  }\n}\n`],
	["an empty object", "{\n}\n", `{\n  "mcpServers": {\n    ${member}\n  }\n}\n`],
	[
		"a file without the section",
		'{\n  "theme": "dark"\n}\n',
		`{\n  "theme": "dark",\n  "mcpServers": {\n    ${member}\n  }\n}\n`,
	],
	[
		"an empty section",
		'{\n  "mcpServers": {}\n}\n',
		`{\n  "mcpServers": {\n    ${member}\n  }\n}\n`,
	],
	[
		"other entries and a comment behind the last",
		'{\n  "mcpServers": {\n    "a": { "command": "x" } // mine\n  }\n}\n',
		`{\n  "mcpServers": {\n    "a": { "command": "x" }, // mine\n    ${member}\n  }\n}\n`,
	],
	[
		"a list that ends with a comma",
		'{\n  "mcpServers": {\n    "a": {},\n  },\n}\n',
		`{\n  "mcpServers": {\n    "a": {},\n    ${member},\n  },\n}\n`,
	],
	[
		"a file on one line",
		'{"a":1,"mcpServers":{"b":{}}}',
		'{"a":1,"mcpServers":{"b":{},"moorage":{"type":"http","url":"http://127.0.0.1:8642/mcp"}}}',
	],
];

for (const [what, before, after] of examples) {
	test(`the entry goes into ${what}`, () => {
		assert.equal(set(before), after);
	});
}

test("tabs and Windows line breaks are kept up", () => {
	const before = '{\r\n\t"mcpServers": {\r\n\t\t"a": 1\r\n\t}\r\n}\r\n';
	const lines = [
		'\t\t"moorage": {',
		'\t\t\t"type": "http",',
		'\t\t\t"url": "http://127.0.0.1:8642/mcp"',
		"\t\t}",
	];
	assert.equal(set(before), before.replace('"a": 1', `"a": 1,\r\n${lines.join("\r\n")}`));
});

test("an entry of another connection is replaced in its place", () => {
	const before = '{\n  "mcpServers": {\n    "moorage": {"url": "old"}, // a\n    "b": 1\n  }\n}\n';
	assert.equal(set(before), before.replace('"moorage": {"url": "old"}', member));
});

const refused: readonly (readonly [string, string, number, number, RegExp])[] = [
	["text that is not JSON", '{\n  "a": ,\n}', 2, 8, /not valid JSON: value expected/],
	["an array", "[1]", 1, 1, /not a JSON object/],
	[
		"a section that is no object",
		'{\n "mcpServers": []\n}',
		2,
		16,
		/`mcpServers` is not an object/,
	],
	["a section that stands twice", '{"mcpServers": {},\n"mcpServers": {}}', 2, 1, /stands twice/],
	["an entry that stands twice", '{"mcpServers": {"moorage": 1, "moorage": 2}}', 1, 31, /twice/],
];

for (const [what, text, line, column, message] of refused) {
	test(`${what} is refused with line and column, and not changed`, () => {
		for (const edited of [
			setJsonEntry(text, place, entry),
			removeJsonEntry(text, place),
			readJsonEntry(text, place),
		]) {
			assert.ok(!edited.ok);
			assert.match(edited.problem.message, message);
			assert.deepEqual([edited.problem.line, edited.problem.column], [line, column]);
		}
	});
}

/** White space and comments that may stand between any two tokens. */
const trivia = fc
	.array(fc.constantFrom(" ", "\n", "\t", "\r\n", "/* c, } */", '// d "x": 1,\n'), { maxLength: 3 })
	.map((parts) => parts.join(""));
const key = fc.constantFrom("a", "b", "mcp servers", "__proto__x", "moorage2", 'q"uote', "é");
const scalar = fc.constantFrom(
	"1",
	"1.0",
	"12345678901234567890",
	'"x"',
	"true",
	"null",
	'"\\u0041"',
);

/** The text of a value with comments in all places, at most two levels deep. */
function valueText(depth: number): fc.Arbitrary<string> {
	if (depth === 0) return scalar;
	const list = fc
		.tuple(trivia, fc.array(valueText(depth - 1), { maxLength: 3 }))
		.map(([space, items]) => `[${space}${items.join(`,${space}`)}${space}]`);
	return fc.oneof(scalar, list, objectText(depth - 1, undefined));
}

function objectText(
	depth: number,
	section: fc.Arbitrary<string> | undefined,
): fc.Arbitrary<string> {
	const members = fc.uniqueArray(fc.tuple(key, valueText(depth), trivia, trivia), {
		maxLength: 4,
		selector: ([name]) => name,
	});
	const extra =
		section === undefined ? fc.constant(undefined) : fc.option(section, { nil: undefined });
	return fc
		.tuple(members, trivia, trivia, fc.boolean(), extra, fc.nat(4))
		.map(([list, open, close, trailing, inner, at]) => {
			const texts = list.map(
				([name, value, before, after]) =>
					`${before}${JSON.stringify(name)}:${after}${value}${after}`,
			);
			if (inner !== undefined) texts.splice(at % (texts.length + 1), 0, `"mcpServers": ${inner}`);
			const comma = trailing && texts.length > 0 ? "," : "";
			return `{${open}${texts.join(",")}${comma}${close}}`;
		});
}

const document = fc
	.tuple(trivia, objectText(2, objectText(1, undefined)), trivia)
	.map((parts) => parts.join(""));

function commentsOf(text: string): string[] {
	const scanner = jsonc.createScanner(text, false);
	const comments: string[] = [];
	for (let token: number = scanner.scan(); token !== 17; token = scanner.scan()) {
		const start = scanner.getTokenOffset();
		if (token === 12 || token === 13) {
			comments.push(text.slice(start, start + scanner.getTokenLength()));
		}
	}
	return comments;
}

/** Whether `edited` is `text` with at most a comma and one further piece put in. */
function isInsertion(text: string, edited: string): boolean {
	const common = (from: number, edited_from: number) => {
		let length = 0;
		while (from + length < text.length && text[from + length] === edited[edited_from + length]) {
			length += 1;
		}
		return length;
	};
	const first = common(0, 0);
	if (edited.endsWith(text.slice(first))) return true;
	if (edited[first] !== ",") return false;
	const second = common(first, first + 1);
	return edited.endsWith(text.slice(first + second));
}

test("whatever the file looks like, everything else in it stays byte for byte", () => {
	fc.assert(
		fc.property(document, (text) => {
			const before = jsonc.parse(text, [], options) as Record<string, object>;
			const edited = set(text);
			const after = jsonc.parse(edited, [], options) as Record<string, object>;
			assert.deepEqual(after, {
				...before,
				mcpServers: { ...before["mcpServers"], moorage: entry },
			});
			assert.ok(isInsertion(text, edited), edited);
			assert.deepEqual(commentsOf(edited), commentsOf(text));
		}),
		{ numRuns: 2000 },
	);
});

test("setting the same entry again changes nothing", () => {
	fc.assert(
		fc.property(document, (text) => {
			const edited = set(text);
			assert.equal(set(edited), edited);
		}),
		{ numRuns: 500 },
	);
});

test("undo takes out the entry alone; the file is as it was", () => {
	fc.assert(
		fc.property(document, (text) => {
			const before = jsonc.parse(text, [], options) as Record<string, object>;
			const undone = remove(set(text));
			const after = jsonc.parse(undone, [], options) as Record<string, object>;
			assert.deepEqual(after, { ...before, mcpServers: { ...before["mcpServers"] } });
			assert.deepEqual(commentsOf(undone), commentsOf(text));
			if (Object.keys(before["mcpServers"] ?? {}).length > 0) assert.equal(undone, text);
			assert.equal(remove(undone), undone);
		}),
		{ numRuns: 2000 },
	);
});

test("an entry between others is taken out without harm to them", () => {
	const texts = fc.tuple(objectText(1, undefined), fc.nat(4), trivia, trivia);
	fc.assert(
		fc.property(texts, ([text, at, before, after]) => {
			const root = jsonc.parseTree(text, [], options) as jsonc.Node;
			const child = root.children?.[at % Math.max(1, root.children.length)];
			if (child === undefined) return;
			const ours = `${before}"moorage": {"x": 1}${after},`;
			const section = text.slice(0, child.offset) + ours + text.slice(child.offset);
			const undone = remove(`{"mcpServers": ${section}}`);
			const parsed = jsonc.parse(undone, [], options) as { mcpServers: object };
			assert.deepEqual(parsed.mcpServers, jsonc.parse(text, [], options));
			assert.deepEqual(commentsOf(undone), commentsOf(section));
		}),
		{ numRuns: 2000 },
	);
});
