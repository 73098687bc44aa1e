import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { referenceTo, secretName } from "./literal-secrets.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

/** A secret that no message may repeat. */
const secret = "q8-very-s3cret-x2";

async function load(context: TestContext, name: string, content: object | string) {
	const cwd = await tempFolder(context);
	const text = typeof content === "string" ? content : JSON.stringify(content);
	await writeFile(join(cwd, name), text);
	const environment = { TOKEN: secret };
	return loadPlan({ path: name, cwd, environment, home: cwd, overrides: {} });
}

for (const [what, yaml, next] of [
	["variable", `{ command: run, env: { GITHUB_TOKEN: ${secret} } }`, "github_token"],
	["argument", `{ command: run, args: [--api-key, ${secret}] }`, "api_key"],
	["option", `{ command: run, args: ["--api-key=${secret}"] }`, "--api-key=${secret:one_args}"],
	["word of a command", `{ command: "run --token ${secret}" }`, "one_token"],
	["header", `{ url: "https://x.com/", headers: { X-Api-Key: ${secret} } }`, "x_api_key"],
	[
		"authorization",
		`{ url: "https://x.com/", headers: { Authorization: "Bearer ${secret}" } }`,
		"Bearer ${secret:one_authorization}",
	],
	["address", `{ url: "https://x.com/?api_key=${secret}" }`, "one_url"],
	["file", `{ command: run, files: { KEY_SECRET: ${secret} } }`, "key_secret"],
	[
		"credential",
		`{ url: "https://x.com/", auth: oauth, oauth: { client_id: a, client_secret: ${secret} } }`,
		"client_secret",
	],
] as const) {
	test(`a secret ${what} in moorage.yaml is refused with its line and the command`, async (context) => {
		const loaded = await load(context, "moorage.yaml", `version: 1\nservers:\n  one: ${yaml}\n`);
		assert.ok(!loaded.ok);
		const text = loaded.problem.map(formatProblem).join("\n");
		assert.match(text, /^moorage\.yaml:3:\d+: .*looks like a secret/);
		assert.ok(text.includes("moorage secret set"), text);
		assert.ok(text.includes(next), text);
		assert.doesNotMatch(text, new RegExp(secret));
	});
}

test("references and what is no secret are taken in moorage.yaml", async (context) => {
	const env = "{ A_TOKEN: '${env:TOKEN}', B_TOKEN: '${secret:b}', TOKEN_LIMIT: 100000, MODE: on }";
	const yaml = `servers: { one: { command: run, env: ${env} } }\n`;
	const loaded = await load(context, "moorage.yaml", yaml);
	assert.ok(loaded.ok, JSON.stringify(loaded));
	assert.doesNotMatch(JSON.stringify(loaded.value), new RegExp(secret));
});

test("in a client's file it works, is held beside the plan, and is warned of", async (context) => {
	const mcpServers = {
		one: { command: "run", args: ["--token", secret, "x"], env: { A_KEY: secret, B: "b" } },
		two: { url: "https://x.com/", headers: { Authorization: `Bearer ${secret}` } },
	};
	const loaded = await load(context, "mcp.json", { mcpServers });
	assert.ok(loaded.ok);
	const { held, warnings, servers } = loaded.value;
	assert.deepEqual(
		[...held],
		[
			["${literal:one/args/--token}", secret],
			["${literal:one/env/A_KEY}", secret],
			["${literal:two/headers/Authorization}", `Bearer ${secret}`],
		],
	);
	assert.equal(warnings.length, 3);
	for (const warning of warnings)
		assert.match(warning, /^mcp\.json:1:\d+: .*secret import mcp\.json/);
	assert.doesNotMatch(JSON.stringify([servers, warnings, loaded.value]), new RegExp(secret));
});

test("another secret in a client's file changes no fingerprint", async (context) => {
	const fingerprint = async (value: string) => {
		const mcpServers = { one: { command: "run", cwd: "/", env: { A_KEY: value } } };
		const loaded = await load(context, "mcp.json", { mcpServers });
		assert.ok(loaded.ok);
		return loaded.value.servers[0]?.fingerprint;
	};
	assert.equal(await fingerprint(`${secret}1`), await fingerprint(`${secret}2`));
});

test("names and references are suggested that fit their place", () => {
	assert.equal(secretName({ server: "a", part: "env", name: "My.TOKEN" }), "my_token");
	assert.equal(
		secretName({ server: "a", part: "headers", name: "Authorization" }),
		"a_authorization",
	);
	assert.equal(secretName({ server: "a", part: "url", name: "" }), "a_url");
	const place = { server: "a", part: "args", name: "" };
	assert.equal(referenceTo("s", "--key=x", place), "--key=${secret:s}");
	assert.equal(referenceTo("s", "basic x", { ...place, part: "headers" }), "basic ${secret:s}");
});
