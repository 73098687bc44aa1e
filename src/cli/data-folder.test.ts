import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createContext } from "../../test/support/run-cli.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { databasePath, dataFolder } from "./data-folder.ts";

async function folderIn(
	context: TestContext,
	files: Readonly<Record<string, string>>,
	option?: string,
): Promise<{ readonly cwd: string; readonly data: string }> {
	const cwd = await tempFolder(context, files);
	const environment = { PLACE: "from-env" };
	return { cwd, data: await dataFolder(createContext({ cwd, environment }).context, option) };
}

const cases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
	["no configuration", {}, ".moorage"],
	["an mcp.json", { "mcp.json": '{"mcpServers":{}}' }, ".moorage"],
	["an editor's folder", { ".cursor/mcp.json": '{"mcpServers":{}}' }, ".moorage"],
	["a configuration without data", { "moorage.yaml": "version: 1\n" }, ".moorage"],
	["a configuration with data", { "moorage.yaml": "version: 1\ndata: ./state\n" }, "state"],
	[
		"data from the environment",
		{ "moorage.yaml": 'version: 1\ndata: "./${env:PLACE}"\n' },
		"from-env",
	],
	[
		"a configuration with mistakes elsewhere",
		{ "moorage.yaml": "version: 1\ndata: ./state\nno_such_key: 1\n" },
		"state",
	],
	[
		"a configuration whose secrets are not set here",
		{
			"moorage.yaml":
				'version: 1\ndata: ./state\nservers: {a: {command: x, env: {A: "${env:UNSET}"}}}\n',
		},
		"state",
	],
	["a file that is not YAML at all", { "moorage.yaml": "}{: [" }, ".moorage"],
	["data of a wrong type", { "moorage.yaml": "version: 1\ndata: [1]\n" }, ".moorage"],
	[
		"inputs that would have to be asked for",
		{
			"mcp.json": JSON.stringify({
				inputs: [{ id: "key", type: "promptString" }],
				servers: { a: { command: "x", env: { A: "${input:key}" } } },
			}),
		},
		".moorage",
	],
];

for (const [what, files, expected] of cases) {
	test(`with ${what} the folder is ${expected}`, async (context) => {
		const { cwd, data } = await folderIn(context, files);
		assert.equal(data, join(cwd, expected));
	});
}

test("--data wins over every configuration", async (context) => {
	const files = { "moorage.yaml": "version: 1\ndata: ./state\n" };
	const { cwd, data } = await folderIn(context, files, "other");
	assert.equal(data, join(cwd, "other"));
	assert.equal((await folderIn(context, files, "/absolute")).data, "/absolute");
});

test("the database is in the folder", () => {
	assert.equal(databasePath("/data"), join("/data", "moorage.db"));
});
