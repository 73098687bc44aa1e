import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { readTomlEntry, removeTomlEntry, setTomlEntry } from "./toml-edit.ts";

const place = { section: "mcp_servers", name: "moorage" };
const entry = { url: "http://127.0.0.1:8642/mcp" };
const owned = ["url", "command", "args", "env", "cwd"];
const table = '[mcp_servers.moorage]\nurl = "http://127.0.0.1:8642/mcp"\n';

function set(text: string): string {
	const edited = setTomlEntry(text, place, entry, owned);
	assert.ok(edited.ok, `${JSON.stringify(edited)} for ${text}`);
	return edited.value;
}

function remove(text: string): string {
	const edited = removeTomlEntry(text, place);
	assert.ok(edited.ok, `${JSON.stringify(edited)} for ${text}`);
	return edited.value;
}

const traps = `# [mcp_servers.moorage]
model = "x" # = [a]
big = 12345678901234567890
text = """
[mcp_servers.moorage]
url = 1
\\"""" # still a comment
raw = '''[mcp_servers.moorage] ''''
list = [
  "]", # ]
  [1, 2],
]
inline = { a = "}", b = [ "[x]" ] }
when = 2026-11-21T03:00:00Z
"quoted.key" = 1

[mcp_servers."other.one"]
command = "npx"

[[profiles]]
name = "a"
`;

const examples: readonly (readonly [string, string, string])[] = [
	["an empty file", "", table],
	["a file with settings", 'model = "x"\n', `model = "x"\n\n${table}`],
	["a file without a last line break", 'model = "x"', `model = "x"\n\n${table}`],
	["a file full of traps", traps, `${traps}\n${table}`],
];

for (const [what, before, after] of examples) {
	test(`the table goes to the end of ${what}`, () => {
		assert.equal(set(before), after);
		assert.equal(set(after), after);
		assert.equal(remove(after), before.endsWith("\n") || before === "" ? before : `${before}\n`);
	});
}

test("Windows line breaks are kept up", () => {
	assert.equal(
		set('a = 1\r\n\r\n[b]\r\nc = """\r\n"""\r\n'),
		'a = 1\r\n\r\n[b]\r\nc = """\r\n"""\r\n\r\n' + table.replaceAll("\n", "\r\n"),
	);
});

const existing = `# before
[mcp_servers.moorage] # ours
# a comment of the user
command = "npx"
args = [
  "moorage", # one
]
startup_timeout_sec = 20

[mcp_servers.moorage.env]
A = "1"

[mcp_servers.moorage.tools.search]
enabled = false

# of the next
[other]
a = 1
`;

test("in an existing table only the keys of the connection are replaced", () => {
	assert.equal(
		set(existing),
		`# before
[mcp_servers.moorage] # ours
url = "http://127.0.0.1:8642/mcp"
# a comment of the user
startup_timeout_sec = 20


[mcp_servers.moorage.tools.search]
enabled = false

# of the next
[other]
a = 1
`,
	);
});

test("undo takes the sub-tables along and leaves the comments of others", () => {
	assert.equal(
		remove(existing),
		"# before\n# a comment of the user\n\n# of the next\n[other]\na = 1\n",
	);
});

test("a table at the very end without a line break is replaced and removed", () => {
	const text = 'a = 1\n\n[mcp_servers.moorage]\ncommand = "x"';
	assert.equal(set(text), `a = 1\n\n${table}`);
	assert.equal(remove(text), "a = 1\n");
	assert.equal(set("[mcp_servers.moorage]"), table);
});

test("other ways to write the name of the table are understood", () => {
	for (const header of [
		'[mcp_servers."moorage"]',
		"[ mcp_servers . 'moorage' ]",
		'["mcp_servers"."\\U0000006doorage"]',
	]) {
		assert.equal(remove(`${header}\ncommand = "x"\n`), "");
	}
});

const refused: readonly (readonly [string, string, number, RegExp])[] = [
	["text that is not TOML", "a = 1\nb = \n", 2, /not valid TOML/],
	["a section that is no table", "\nmcp_servers = 1\n", 2, /`mcp_servers` is not a table/],
	["an entry that is no table", "[mcp_servers]\nmoorage = 1\n", 1, /other than a table/],
	["an inline table of the entry", "[mcp_servers]\nmoorage = { url = 'x' }\n", 1, /another form/],
	["dotted keys", "\n\nmcp_servers.moorage.url = 'x'\n", 3, /another form/],
];

for (const [what, text, line, message] of refused) {
	test(`${what} is refused with its line, and not changed`, () => {
		for (const edited of [setTomlEntry(text, place, entry, owned), removeTomlEntry(text, place)]) {
			assert.ok(!edited.ok, what);
			assert.match(edited.problem.message, message);
			assert.equal(edited.problem.line, line);
		}
	});
}

test("an inline section takes no further table, which is found out and refused", () => {
	const text = "mcp_servers = { a = { url = 'x' } }\n";
	const edited = setTomlEntry(text, place, entry, owned);
	assert.ok(!edited.ok);
	assert.match(edited.problem.message, /cannot be changed safely/);
	assert.deepEqual(readTomlEntry(text, place), { ok: true, value: undefined });
	assert.equal(remove(text), text);
});

const line = fc.constantFrom("", "# a comment [mcp_servers.moorage]", "\t", "# é ü");
const value = fc.constantFrom(
	"1",
	"1.0",
	"12345678901234567890",
	'"[x] # y"',
	"'''\n[mcp_servers.moorage]\n'''",
	'"""a\n# b\n\\"""" # c',
	"[ 1,\n# [d]\n [2] ]",
	"{ e = ']', f = [1] }",
	"2026-11-21",
	"[]",
);
const pair = fc.tuple(fc.constantFrom("a", "b", '"c.d"', "e.f", "'g'"), value);
const body = fc
	.tuple(
		fc.uniqueArray(pair, { maxLength: 3, selector: ([name]) => name }),
		fc.array(line, { maxLength: 3 }),
	)
	.map(([pairs, lines]) =>
		[...pairs.map(([name, text]) => `${name} = ${text}`), ...lines].map((text) => `${text}\n`),
	)
	.map((parts) => parts.join(""));
const header = fc.constantFrom(
	"[x]",
	"[mcp_servers.a]",
	"[mcp_servers.a.env]",
	"[mcp_servers.moorage2]",
	"[ y . 'z.]' ] # [c]",
	"[mcp_servers.moorage]",
	"[mcp_servers.moorage.env]",
	"[mcp_servers.moorage.extra]",
);
const document = fc
	.tuple(
		body,
		fc.uniqueArray(fc.tuple(header, body), { maxLength: 5, selector: ([text]) => text }),
		fc.constantFrom("\n", "\r\n"),
	)
	.map(([first, tables, line_break]) =>
		[first, ...tables.map(([text, inner]) => `${text}\n${inner}`)]
			.join("")
			.replaceAll("\n", line_break),
	)
	.filter((text) => isValid(text));

function isValid(text: string): boolean {
	try {
		parse(text, { integersAsBigInt: "asNeeded" });
		return true;
	} catch {
		return false;
	}
}

function others(text: string): unknown {
	const value = parse(text, { integersAsBigInt: "asNeeded" }) as Record<string, unknown>;
	const { mcp_servers, ...rest } = value;
	const { moorage: _, ...servers } = (mcp_servers ?? {}) as Record<string, unknown>;
	return { rest, servers };
}

/** Whether `part` is `text` with some characters left out. */
function isSubsequence(part: string, text: string): boolean {
	let at = 0;
	for (const char of text) if (char === part[at]) at += 1;
	return at === part.length;
}

test("whatever the file looks like, everything else in it stays as it is", () => {
	fc.assert(
		fc.property(document, (text) => {
			const edited = set(text);
			assert.deepEqual(others(edited), others(text));
			const found = readTomlEntry(edited, place);
			assert.ok(found.ok);
			assert.equal(found.value?.["url"], entry.url);
			assert.equal(set(edited), edited);
			if (!text.includes("moorage]") && !text.includes("moorage.")) {
				assert.ok(edited.startsWith(text));
			}
		}),
		{ numRuns: 1500 },
	);
});

test("undo only ever takes characters away, and none of the others' values", () => {
	fc.assert(
		fc.property(document, (text) => {
			const undone = remove(text);
			assert.deepEqual(others(undone), others(text));
			assert.ok(isSubsequence(undone, text));
			assert.deepEqual(readTomlEntry(undone, place), { ok: true, value: undefined });
			assert.equal(remove(set(undone)).trimEnd(), undone.trimEnd());
		}),
		{ numRuns: 1500 },
	);
});

test("what the TOML library writes itself is understood", () => {
	const written = stringify({ a: 1, mcp_servers: { x: { command: "y" }, moorage: entry } });
	assert.equal(set(written), written);
	assert.deepEqual(others(remove(written)), others(written));
});
