import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { proposeServers } from "./propose.ts";

function entriesOf(text: string) {
	const proposed = proposeServers(text);
	assert.ok(!("message" in proposed), JSON.stringify(proposed));
	return proposed.map(({ name, entry }) => [name, entry] as const);
}

const npx_time = { command: "npx", args: ["-y", "@scope/server-time@1.2.3"] };

const single: readonly (readonly [string, string, object])[] = [
	["npx -y @scope/server-time@1.2.3", "time", npx_time],
	["$ npx -y \\\n  @scope/server-time@1.2.3", "time", npx_time],
	["uvx mcp-server-git", "git", { command: "uvx", args: ["mcp-server-git"] }],
	["node ./tools/notes.mjs", "notes", { command: "node", args: ["./tools/notes.mjs"] }],
	[
		"docker run -i --rm ghcr.io/acme/github-mcp:2",
		"github",
		{ command: "docker", args: ["run", "-i", "--rm", "ghcr.io/acme/github-mcp:2"] },
	],
	["API_KEY=x npx a", "a", { command: "npx", args: ["a"], env: { API_KEY: "x" } }],
	["https://mcp.notion.com/mcp", "notion", { url: "https://mcp.notion.com/mcp" }],
	[
		"claude mcp add -e TOKEN=x time -- npx -y @scope/server-time@1.2.3",
		"time",
		{ ...npx_time, env: { TOKEN: "x" } },
	],
	[
		"claude mcp add --transport http docs https://example.com/mcp",
		"docs",
		{ url: "https://example.com/mcp" },
	],
	["moorage add clock -- npx -y @scope/server-time@1.2.3", "clock", npx_time],
	[
		'{"mcpServers":{"time":{"command":"npx","args":["-y","@scope/server-time@1.2.3"]}}}',
		"time",
		npx_time,
	],
	[
		'{"servers":{"time":{"type":"http","url":"https://a.example/mcp"}}}',
		"time",
		{ url: "https://a.example/mcp" },
	],
	[
		'{"mcp":{"servers":{"time":{"url":"https://a.example/mcp"}}}}',
		"time",
		{ url: "https://a.example/mcp" },
	],
	['{"time":{"command":"npx -y @scope/server-time@1.2.3"}}', "time", npx_time],
	['{"command":"npx","args":["-y","@scope/server-time@1.2.3"]}', "time", npx_time],
	["servers:\n  time:\n    command: npx -y @scope/server-time@1.2.3\n", "time", npx_time],
	["time:\n  command: npx -y @scope/server-time@1.2.3\n", "time", npx_time],
];

for (const [text, name, entry] of single) {
	test(`${JSON.stringify(text)} would add one server, ${name}`, () => {
		assert.deepEqual(entriesOf(text), [[name, entry]]);
	});
}

test("several servers of a file are proposed one by one, in its order", () => {
	const text = '{"mcpServers":{"b":{"command":"x"},"a":{"url":"https://a.example/"}}} ';
	assert.deepEqual(
		entriesOf(text).map(([name]) => name),
		["b", "a"],
	);
});

test("values that everybody has to fill in are asked for, secrets as such", () => {
	const env = { API_KEY: "<your key>", REGION: "", MODE: "fast", A_TOKEN: "${input:token}" };
	const proposed = proposeServers(JSON.stringify({ x: { command: "x", env } }));
	assert.ok(!("message" in proposed));
	assert.deepEqual(proposed[0]?.asks, [
		{ kind: "env", name: "API_KEY", secret: true },
		{ kind: "env", name: "REGION", secret: false },
		{ kind: "env", name: "A_TOKEN", secret: true },
	]);
});

test("a shell and a package without a version are pointed out", () => {
	const notes = (text: string) => {
		const proposed = proposeServers(text);
		return "message" in proposed ? [] : (proposed[0]?.notes ?? []);
	};
	assert.match(notes("bash -c 'rm -rf x'")[0] ?? "", /shell/);
	assert.match(notes("npx -y server-time")[0] ?? "", /No version/);
	assert.deepEqual(notes("npx -y server-time@1.0.0"), []);
});

test("what is none of these is refused with what to paste instead", () => {
	for (const text of ["   ", "[]", '{"a":1}', "{", "a: [", '"never closed']) {
		const proposed = proposeServers(text);
		assert.ok("message" in proposed, text);
		assert.ok(proposed.next.length > 0);
	}
});

test("no text breaks it, and every name it proposes can be part of an address", () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
			const proposed = proposeServers(text);
			if ("message" in proposed) return;
			for (const { name } of proposed) assert.match(name, /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/);
		}),
	);
});
