import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "../../../test/support/run-cli.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";

for (const [words, reference] of [
	[["--env", "GITHUB_TOKEN=abc123def", "--", "run"], "GITHUB_TOKEN=${secret:github_token}"],
	[
		["--header", "Authorization=Bearer abc123def", "--", "https://example.com/mcp"],
		"Authorization=Bearer ${secret:server_authorization}",
	],
] as const) {
	test(`a secret is no argument of moorage add: ${words[0]}`, async (t) => {
		const cwd = await tempFolder(t);
		const refused = await runCli(["add", "one", ...words], { cwd });
		assert.notEqual(refused.code, 0);
		assert.ok(refused.stderr.includes(reference), refused.stderr);
		assert.doesNotMatch(refused.stderr, /abc123def/);
		await assert.rejects(readFile(join(cwd, "moorage.yaml")), { code: "ENOENT" });
	});
}

test("a reference to a secret is one", async (t) => {
	const cwd = await tempFolder(t);
	const words = ["add", "one", "--env", "GITHUB_TOKEN=${secret:github_token}", "--", "run"];
	const added = await runCli(words, { cwd });
	assert.equal(added.code, 0, added.stderr);
	assert.match(await readFile(join(cwd, "moorage.yaml"), "utf8"), /\$\{secret:github_token\}/);
});
