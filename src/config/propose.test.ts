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
	const asked = proposed[0]?.asks.map(({ kind, name, secret, given }) => [
		kind,
		name,
		secret,
		given,
	]);
	assert.deepEqual(asked, [
		["env", "API_KEY", true, undefined],
		["env", "REGION", false, undefined],
		["env", "A_TOKEN", true, undefined],
	]);
});

const github = `ghp_${"a1B2".repeat(9)}`;

/** What is pasted, and what of it goes into the vault: name there, value, and the text around. */
const pasted_secrets: readonly (readonly [string, string, string, string, string])[] = [
	[`GITHUB_TOKEN=${github} npx a`, "github_token", github, "", ""],
	[
		`claude mcp add --transport http gh https://a.example/mcp --header "Authorization: Bearer ${github}"`,
		"gh_authorization",
		github,
		"Bearer ",
		"",
	],
	[`npx a --api-key=${github}`, "api_key", github, "--api-key=", ""],
	[`npx a --token ${github} --quiet`, "a_token", github, "", ""],
	[
		`https://a.example/mcp?api_key=${github}&page=1`,
		"api_key",
		github,
		"https://a.example/mcp?api_key=",
		"&page=1",
	],
];

for (const [text, name, value, before, after] of pasted_secrets) {
	test(`the secret in ${text.replace(github, "…")} is found, with what stands around it`, () => {
		const proposed = proposeServers(text);
		assert.ok(!("message" in proposed));
		assert.equal(proposed[0]?.asks.length, 1);
		const [ask] = proposed[0].asks;
		assert.deepEqual(
			[ask?.secret, ask?.secret_name, ask?.given, ask?.before, ask?.after],
			[true, name, value, before, after],
		);
	});
}

test("references of ours are left alone, and paths are no placeholders", () => {
	const env = { A_TOKEN: "${secret:a}", B: "${env:B}" };
	const entry = { command: "npx", args: ["my-server", "/srv/my-files", "--root", "."], env };
	const proposed = proposeServers(JSON.stringify({ x: entry }));
	assert.ok(!("message" in proposed));
	assert.deepEqual(proposed[0]?.asks, []);
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

test("as many servers as are taken at a time are all proposed, and of more none is lost", () => {
	// servers_max
	const documentOf = (count: number) =>
		JSON.stringify({
			mcpServers: Object.fromEntries(
				Array.from({ length: count }, (_, at) => [`s${at}`, { command: "run" }]),
			),
		});
	for (const count of [99, 100]) assert.equal(entriesOf(documentOf(count)).length, count);
	assert.deepEqual(proposeServers(documentOf(101)), {
		message: "These are 101 servers, and at most 100 are taken at a time.",
		next: "Paste them in parts, or write them into the configuration.",
	});
});
