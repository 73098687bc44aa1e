import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { runCli } from "../../test/support/run-cli.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "../config/load.ts";

const page = await readFile(new URL("../../docs/login.md", import.meta.url), "utf8");

test("the example of docs/login.md loads as it stands", async (t) => {
	const [, example = ""] = /```yaml\n([^]*?)```/.exec(page) ?? [];
	const cwd = await tempFolder(t, { "moorage.yaml": example });
	const environment = { OKTA_SECRET: "x" };
	const loaded = await loadPlan({ path: undefined, cwd, environment, home: "/", overrides: {} });
	assert.ok(loaded.ok, JSON.stringify(loaded));
	const login = loaded.value.identity?.login;
	assert.deepEqual(login?.client_documents, ["*.example.com"]);
	assert.equal(login?.federated[0]?.client_id, "moorage");
});

test("the commands of docs/login.md work, one after the other", async (t) => {
	const cwd = await tempFolder(t);
	const commands = [...page.matchAll(/`moorage ((?:user|client) [^`]+ [^`]+)`/g)];
	assert.ok(commands.length >= 6);
	for (const [, line = ""] of commands) {
		const outcome = await runCli([...line.split(" "), "--data", "data"], {
			cwd,
			input: "correct horse\n",
		});
		assert.equal(outcome.code, 0, `${line}: ${outcome.stderr}`);
	}
});
