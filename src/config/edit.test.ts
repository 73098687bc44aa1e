import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as fc from "fast-check";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { addServer, type NewServer, removeServer } from "./edit.ts";
import { addMember, memberNames, parseGood, removeMember } from "./edit-json.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

const time: NewServer = { command: "uvx", args: ["mcp-server-time", "two words"] };
const remote: NewServer = { url: "https://example.com/mcp", headers: { A: "b" } };

async function edited(
	context: TestContext,
	name: string,
	text: string,
	edit: (path: string) => ReturnType<typeof addServer>,
): Promise<string> {
	const folder = await tempFolder(context, { [name]: text });
	const path = join(folder, name);
	const outcome = await edit(path);
	assert.ok(outcome.ok, outcome.ok ? "" : formatProblem(outcome.problem));
	assert.equal((await readdir(folder)).length, 1);
	return readFile(path, "utf8");
}

async function refused(
	context: TestContext,
	name: string,
	text: string,
	edit: (path: string) => ReturnType<typeof addServer>,
): Promise<string> {
	const folder = await tempFolder(context, { [name]: text });
	const path = join(folder, name);
	const outcome = await edit(path);
	assert.ok(!outcome.ok);
	assert.equal(await readFile(path, "utf8"), text);
	return formatProblem(outcome.problem);
}

const yaml = `# The team's servers.
version: 1 # the form

servers:
  # Code.
  github:
    command: npx -y "server github" # pinned
    env: { TOKEN: "\${env:TOKEN}" }

  # Notes.
  notion: { url: 'https://mcp.notion.com/mcp' }

# Limits come last.
limits:
  body: 1MiB
`;

test("a server is added to YAML at the end of the servers, everything else staying", async (context) => {
	const text = await edited(context, "moorage.yaml", yaml, (path) => addServer(path, "time", time));
	const added = "  time:\n    command: uvx mcp-server-time 'two words'\n";
	assert.equal(text.replace(added, ""), yaml);
	assert.ok(text.indexOf(added) > text.indexOf("notion:"));
});

test("a server is removed from YAML, the comments of the others staying", async (context) => {
	const text = await edited(context, "moorage.yaml", yaml, (path) => removeServer(path, "notion"));
	assert.ok(!text.includes("notion"));
	for (const comment of [
		"# The team's servers.",
		"# the form",
		"# Code.",
		"# pinned",
		"# Limits come last.",
	]) {
		assert.ok(text.includes(comment), comment);
	}
});

test("YAML without servers, or with none in it, gets them", async (context) => {
	const added = "servers:\n  far:\n    url: https://example.com/mcp\n    headers:\n      A: b\n";
	for (const [before, after] of [
		["", added],
		["# nothing\n", `# nothing\n\n${added}`],
		["version: 1\n", `version: 1\n${added}`],
		["servers: {}\n", added],
		["servers:\n", added],
	] as const) {
		const text = await edited(context, "moorage.yml", before, (path) =>
			addServer(path, "far", remote),
		);
		assert.equal(text, after, before);
	}
});

test("the last server of YAML can go", async (context) => {
	const text = await edited(
		context,
		"moorage.yaml",
		"servers:\n  one: { command: run }\n",
		(path) => removeServer(path, "one"),
	);
	assert.equal(text, "servers: {}\n");
});

test("YAML keeps its indentation and its line ends", async (context) => {
	const before = "servers:\r\n    one:\r\n        command: run\r\n";
	const text = await edited(context, "moorage.yaml", before, (path) =>
		addServer(path, "far", { url: "http://a" }),
	);
	assert.equal(text, `${before}    far:\r\n        url: http://a\r\n`);
});

const json = `{
	// The team's servers.
	"mcpServers": {
		"github": { "command": "npx", "args": ["-y",   "x"] }, // pinned
		/* notes */
		"notion": {
			"url": "https://mcp.notion.com/mcp", // remote
		},
		// the end
	},
	"other":   [1,2,  3]
}
`;

test("a server is added to JSON with comments, every other character staying", async (context) => {
	const text = await edited(context, ".mcp.json", json, (path) => addServer(path, "time", time));
	const added = `
		"time": {
			"command": "uvx",
			"args": [
				"mcp-server-time",
				"two words"
			]
		},`;
	assert.equal(text.replace(added, ""), json);
	assert.ok(text.indexOf(added) > text.indexOf("// the end"));
});

test("a server is removed from JSON with comments, every other character staying", async (context) => {
	const first = await edited(context, "mcp.json", json, (path) => removeServer(path, "github"));
	const line = '"github": { "command": "npx", "args": ["-y",   "x"] },';
	assert.equal(first, json.replace(`${line} `, ""));
	const last = await edited(context, "mcp.json", json, (path) => removeServer(path, "notion"));
	const lines = '\t\t"notion": {\n\t\t\t"url": "https://mcp.notion.com/mcp", // remote\n\t\t},\n';
	assert.equal(last, json.replace(lines, ""));
});

const shapes: readonly (readonly [title: string, before: string, after: string])[] = [
	[
		"an empty object",
		"{}",
		'{\n  "mcpServers": {\n    "far": {\n      "type": "http",\n      "url": "http://a"\n    }\n  }\n}',
	],
	[
		"an empty map",
		'{ "mcpServers": {} }\n',
		'{ "mcpServers": {\n  "far": {\n    "type": "http",\n    "url": "http://a"\n  }\n} }\n',
	],
	[
		"one line",
		'{"mcpServers":{"a":{"command":"b"}}}',
		'{"mcpServers":{"a":{"command":"b"}, "far": {"type":"http","url":"http://a"}}}',
	],
	[
		"one line with a trailing comma",
		'{"mcpServers":{"a":{},}}',
		'{"mcpServers":{"a":{}, "far": {"type":"http","url":"http://a"},}}',
	],
	[
		"a last member without a comma but with a comment",
		'{\n "mcpServers": {\n  "a": {} // it\n }\n}',
		'{\n "mcpServers": {\n  "a": {}, // it\n  "far": {\n   "type": "http",\n   "url": "http://a"\n  }\n }\n}',
	],
	[
		"another key alone",
		'{\n  "theme": "dark"\n}\n',
		'{\n  "theme": "dark",\n  "mcpServers": {\n    "far": {\n      "type": "http",\n      "url": "http://a"\n    }\n  }\n}\n',
	],
	[
		"VS Code's key",
		'{\n  "servers": {\n  }\n}',
		'{\n  "servers": {\n    "far": {\n      "type": "http",\n      "url": "http://a"\n    }\n  }\n}',
	],
];

for (const [title, before, after] of shapes) {
	test(`a server is added to JSON of the shape: ${title}`, async (context) => {
		const text = await edited(context, "mcp.json", before, (path) =>
			addServer(path, "far", { url: "http://a" }),
		);
		assert.equal(text, after);
	});
}

test("JSON in Moorage's own form gets a command as one text", async (context) => {
	const before = '{\n  "version": 1,\n  "servers": {}\n}\n';
	const text = await edited(context, "moorage.json", before, (path) =>
		addServer(path, "time", time),
	);
	assert.deepEqual(JSON.parse(text), {
		version: 1,
		servers: { time: { command: "uvx mcp-server-time 'two words'" } },
	});
});

test("a file that is not there is made, and loads with the server in it", async (context) => {
	for (const name of ["moorage.yaml", "moorage.json", "mcp.json", ".mcp.json"]) {
		const cwd = await tempFolder(context);
		const entry: NewServer = { ...time, env: { TZ: "UTC" }, cwd: "/tmp" };
		const outcome = await addServer(join(cwd, name), "time", entry);
		assert.ok(outcome.ok);
		const loaded = await loadPlan({
			path: undefined,
			cwd,
			environment: {},
			home: "/",
			overrides: {},
		});
		assert.ok(loaded.ok, name);
		assert.deepEqual(loaded.value.servers[0]?.spec, { driver: "stdio", ...entry });
	}
});

test("a server with a changed name is removed by the name of its address or its own", async (context) => {
	const before =
		'{\n  "mcpServers": {\n    "My Server": { "command": "a" },\n    "b": { "command": "b" }\n  }\n}\n';
	const after = '{\n  "mcpServers": {\n    "b": { "command": "b" }\n  }\n}\n';
	for (const name of ["My-Server", "My Server"]) {
		assert.equal(
			await edited(context, "mcp.json", before, (path) => removeServer(path, name)),
			after,
		);
	}
});

const addGithub = (path: string) => addServer(path, "github", time);
const removeZebra = (path: string) => removeServer(path, "zebra");

test("a name that is there already is refused in every form", async (context) => {
	assert.match(
		await refused(context, "moorage.yaml", yaml, addGithub),
		/`github` is there already/,
	);
	assert.match(await refused(context, "mcp.json", json, addGithub), /`github` is there already/);
	const spaced = '{ "mcpServers": { "git hub": {} } }';
	const taken = await refused(context, "mcp.json", spaced, (path) =>
		addServer(path, "git-hub", time),
	);
	assert.match(taken, /`git-hub` is there already/);
});

test("a name that cannot be an address is refused", async (context) => {
	for (const name of ["mcp", "a__b", "a b", ""]) {
		await refused(context, "moorage.yaml", yaml, (path) => addServer(path, name, time));
	}
});

test("a server that is not there cannot be removed", async (context) => {
	assert.match(
		await refused(context, "moorage.yaml", yaml, removeZebra),
		/Name one of: `github`, `notion`/,
	);
	assert.match(
		await refused(context, "mcp.json", json, removeZebra),
		/Name one of: `github`, `notion`/,
	);
	assert.match(await refused(context, "mcp.json", "{}", removeZebra), /The file has none/);
	const missing = await removeServer(join(await tempFolder(context), "mcp.json"), "a");
	assert.ok(!missing.ok);
});

test("a file with mistakes is not edited", async (context) => {
	for (const [name, text] of [
		["moorage.yaml", "servers: [\n"],
		["moorage.yaml", "servers: [a]\n"],
		["moorage.yaml", "- a\n"],
		["moorage.yaml", "a: 1\na: 2\n"],
		["mcp.json", '{ "mcpServers": { '],
		["mcp.json", "[]"],
		["mcp.json", '{ "mcpServers": [] }'],
		["mcp.json", '{ "mcpServers": null }'],
	] as const) {
		const problem = await refused(context, name, text, (path) => addServer(path, "x", time));
		assert.match(problem, /not edited/, text);
	}
});

test("the mode of the file is kept", async (context) => {
	const folder = await tempFolder(context, { "mcp.json": json });
	await chmod(join(folder, "mcp.json"), 0o600);
	assert.ok((await addServer(join(folder, "mcp.json"), "time", time)).ok);
	assert.equal((await stat(join(folder, "mcp.json"))).mode & 0o777, 0o600);
});

test("a folder in place of the file is refused", async (context) => {
	const folder = await tempFolder(context, { "mcp.json/x": "" });
	const outcome = await addServer(join(folder, "mcp.json"), "time", time);
	assert.ok(!outcome.ok);
	assert.match(outcome.problem.message, /is a folder/);
});

test("adding and removing members leaves any JSON what it was, for every other member", () => {
	const filler = fc.constantFrom("", " ", "\n", "\n  ", " // c, }\n", "/* , { */", "\t");
	const members = fc.uniqueArray(
		fc.tuple(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })),
		{
			selector: ([key]) => key,
			maxLength: 4,
		},
	);
	fc.assert(
		fc.property(
			members,
			fc.array(filler, { minLength: 14, maxLength: 14 }),
			fc.boolean(),
			(pairs, gaps, comma) => {
				let at = 0;
				const gap = () => gaps[at++ % gaps.length] ?? "";
				const parts = pairs.map(
					([key, value]) =>
						`${gap()}${JSON.stringify(key)}${gap()}:${gap()}${JSON.stringify(value)}${gap()}`,
				);
				const tail = comma && parts.length > 0 ? "," : "";
				const text = `{${gap()}"m": {${parts.join(",")}${tail}${gap()}}${gap()}}`;
				const root = parseGood(text);
				assert.ok(root !== undefined, text);
				const names = memberNames(root, ["m"]);
				const added = addMember(text, root, ["m"], "added!", { x: 1 });
				const added_root = parseGood(added);
				assert.ok(added_root !== undefined, `${text} => ${added}`);
				assert.deepEqual(memberNames(added_root, ["m"]), [...names, "added!"]);
				for (const name of names) {
					const removed = removeMember(text, root, ["m"], name) ?? "";
					const removed_root = parseGood(removed);
					assert.ok(removed_root !== undefined, `${text} => ${removed}`);
					assert.deepEqual(
						memberNames(removed_root, ["m"]),
						names.filter((one) => one !== name),
					);
				}
			},
		),
	);
});
