import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { editEntry, fieldAt, formProblem, readEntry, type ServerEntry } from "./edit-entry.ts";

const yaml = `# Ours.
version: 1

servers:
  # The forge.
  github:
    command: npx -y server-github   # pinned elsewhere
    env:
      # From the vault.
      TOKEN: \${secret:github}
      PORT: 8080
    limits:   {memory: 512MB}
    tools: [read_*, list_*]

  other:   {url: "https://example.com/mcp"}   # theirs
# The end.
`;

function edited(path: string, text: string, title: string, entry: ServerEntry): string {
	const result = editEntry(path, text, title, entry);
	assert.ok(result.ok, result.ok ? "" : result.problem.message);
	return result.value;
}

function entryIn(path: string, text: string, title: string): ServerEntry {
	const entry = readEntry(path, text, title);
	assert.ok(entry.ok);
	return entry.value;
}

test("one value is changed, and every comment and all other lines stay as they were typed", () => {
	const entry = entryIn("m.yaml", yaml, "github");
	const text = edited("m.yaml", yaml, "github", {
		...entry,
		env: { TOKEN: "${secret:other}", PORT: 8080 },
	});
	assert.equal(text.includes("TOKEN: ${secret:other}"), true, text);
	for (const comment of ["# Ours.", "# The forge.", "# pinned elsewhere", "# From the vault."]) {
		assert.ok(text.includes(comment), `${comment} in ${text}`);
	}
	const tail = yaml.slice(yaml.indexOf("  other:"));
	assert.ok(text.endsWith(tail), text);
});

test("members are added and taken out, also those with members of their own", () => {
	const { tools: _tools, limits: _limits, ...entry } = entryIn("m.yaml", yaml, "github");
	const next = { ...entry, idle: { freeze: "5s" }, timeouts: { call: "1m" } };
	const text = edited("m.yaml", yaml, "github", next);
	assert.deepEqual((parse(text) as { servers: { github: unknown } }).servers.github, next);
	assert.ok(text.includes("# From the vault."));
});

test("a number that a form has as a text is no change", () => {
	const entry = entryIn("m.yaml", yaml, "github");
	const env = { ...(entry["env"] as object), PORT: "8080" };
	assert.equal(edited("m.yaml", yaml, "github", { ...entry, env }), yaml);
});

test("a number with more digits than fit keeps all of them, changed or not", () => {
	const long = "12345678901234567890";
	const files = {
		"m.yaml": `servers:\n  a:\n    command: x\n    env:\n      ID: ${long} # ours\n      P: 0.10\n      Q: 3.14159265358979323846\n`,
		"mcp.json": `{"servers":{"a":{"command":"x","env":{"ID":${long},"P":0.10,"Q":3.14159265358979323846}}}}`,
	};
	for (const [path, text] of Object.entries(files)) {
		const entry = entryIn(path, text, "a");
		assert.deepEqual(entry["env"], { ID: long, P: 0.1, Q: "3.14159265358979323846" });
		assert.equal(edited(path, text, "a", entry), text);
		const moved = edited(path, text, "a", { ...entry, command: "y" });
		assert.equal(moved, text.replace("x", "y").replace('"x"', '"y"'));
		assert.ok(moved.includes(long), moved);
		const other = "99999999999999999999";
		const env = { ...(entry["env"] as object), ID: other };
		const changed = edited(path, text, "a", { ...entry, env });
		assert.deepEqual((entryIn(path, changed, "a")["env"] as { ID: unknown }).ID, other);
		assert.ok(changed.includes(other), changed);
	}
});

test("client files keep their comments and what Moorage does not know", () => {
	const json = `{
  // Mine.
  "mcpServers": {
    "gh": { "command": "npx", "args": ["-y", "x"], "disabled": false }, // last
  }
}
`;
	const entry = entryIn("mcp.json", json, "gh");
	const text = edited("mcp.json", json, "gh", { ...entry, args: ["-y", "y"], env: { A: "1" } });
	assert.ok(text.includes("// Mine.") && text.includes("// last"), text);
	assert.deepEqual(entryIn("mcp.json", text, "gh"), {
		command: "npx",
		args: ["-y", "y"],
		disabled: false,
		env: { A: "1" },
	});
});

test("an entry that shares parts with others is left to those who edit the text", () => {
	const shared = `servers:\n  a: &a\n    command: x\n  b:\n    <<: *a\n    env: {K: v}\n`;
	for (const title of ["a", "b"]) {
		const result = editEntry("m.yaml", shared, title, { command: "y" });
		assert.ok(!result.ok);
		assert.match(result.problem.next, /text of the file/);
		assert.deepEqual(formProblem("m.yaml", shared, title), result.problem, "told beforehand");
	}
	assert.equal(formProblem("m.yaml", yaml, "github"), undefined);
	assert.equal(formProblem("mcp.json", '{"servers":{"a":{}}}', "a"), undefined);
	assert.equal(readEntry("m.yaml", shared, "c").ok, false);
	assert.equal(readEntry("m.yaml", "servers: [", "a").ok, false);
});

test("a place in the file is told as the member that stands there", () => {
	const line = (text: string) => yaml.split("\n").findIndex((one) => one.includes(text)) + 1;
	const at = (text: string, more = 0) => ({
		line: line(text),
		column: (yaml.split("\n")[line(text) - 1]?.indexOf(text) ?? 0) + 1 + more,
	});
	assert.equal(fieldAt("m.yaml", yaml, "github", at("TOKEN:")), "env.TOKEN");
	assert.equal(fieldAt("m.yaml", yaml, "github", at("512MB")), "limits.memory");
	assert.equal(fieldAt("m.yaml", yaml, "github", at("list_*")), "tools.1");
	assert.equal(fieldAt("m.yaml", yaml, "github", at("npx")), "command");
	assert.equal(fieldAt("m.yaml", yaml, "other", at("npx")), undefined);
	const json = '{"mcpServers": {"a": {"command": "x", "env": {"K": 5}}}}';
	assert.equal(fieldAt("mcp.json", json, "a", { line: 1, column: 50 }), "env.K");
});

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const value = fc.oneof(
	fc.string({ maxLength: 30 }),
	fc.integer(),
	fc.boolean(),
	fc.array(fc.string({ maxLength: 12 }), { maxLength: 4 }),
	fc.dictionary(word, fc.string({ maxLength: 20 }), { maxKeys: 4, minKeys: 1 }),
);
const entries = fc.dictionary(word, value, { minKeys: 1, maxKeys: 6 });

test("whatever an entry becomes, it reads back as that, and the rest of the file is the same", () => {
	fc.assert(
		fc.property(entries, entries, (before, after) => {
			for (const path of ["m.yaml", "mcp.json"]) {
				const start =
					path === "m.yaml" ? "servers:\n  x: {}\n  y: 1 # kept\n" : '{"servers":{"x":{},"y":1}}';
				const first = editEntry(path, start, "x", before);
				assert.ok(first.ok);
				const second = editEntry(path, first.value, "x", after);
				assert.ok(second.ok);
				const read = readEntry(path, second.value, "x");
				assert.deepEqual(read.ok && JSON.parse(JSON.stringify(read.value)), wanted(before, after));
				if (path === "m.yaml") assert.match(second.value, /y: 1 # kept/);
			}
		}),
		{ numRuns: 60 },
	);
});

/** A number stays one where only its text is given. */
function wanted(before: Record<string, unknown>, after: Record<string, unknown>) {
	const same = (a: unknown, b: unknown) =>
		/number|boolean/.test(typeof a) && String(a) === b ? a : b;
	return JSON.parse(
		JSON.stringify(
			Object.fromEntries(
				Object.entries(after).map(([name, one]) => [
					name,
					Object.hasOwn(before, name) ? same(before[name], one) : one,
				]),
			),
		),
	) as unknown;
}
