import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

const identity = { keys: [{ name: "k", hash: `sha256:${"0".repeat(64)}`, user: "ana" }] };

async function problemsOf(t: TestContext, server: object, more: object): Promise<string> {
	const cwd = await tempFolder(t);
	const one = { url: "https://mcp.example.com/mcp", auth: "oauth", ...server };
	const content = { version: 1, servers: { one }, ...more };
	await writeFile(join(cwd, "moorage.yaml"), JSON.stringify(content));
	const loaded = await loadPlan({
		...{ path: "moorage.yaml", cwd, home: cwd },
		environment: {},
		overrides: {},
	});
	return loaded.ok ? "" : loaded.problem.map(formatProblem).join("\n");
}

const shared = { account: "shared" };
const by_itself = { grant: "client_credentials", client_id: "us" };

for (const [what, server, more] of [
	["one that says so", { scope: "shared", oauth: shared }, { identity }],
	["one account for each person", {}, { identity }],
	["one of Moorage's own", { scope: "shared", oauth: by_itself }, { identity }],
	["one where nobody is told apart", { scope: "shared" }, {}],
	["one that says so where nobody is told apart", { oauth: shared }, {}],
] as const) {
	test(`a shared server may have an account: ${what}`, async (t) => {
		assert.equal(await problemsOf(t, server, more), "");
	});
}

test("with identity a person's account is shared only where that is written down", async (t) => {
	const text = await problemsOf(t, { scope: "shared" }, { identity });
	assert.match(text, /with one person's account/);
	assert.match(text, /Write `oauth: \{ account: shared \}`/);
});

test("an account is not said to be shared where it is not", async (t) => {
	assert.match(
		await problemsOf(t, { oauth: shared }, { identity }),
		/no meaning with `scope: user`/,
	);
	const own = { scope: "shared", oauth: { ...by_itself, ...shared } };
	assert.match(await problemsOf(t, own, { identity }), /no meaning with `grant: client_cred/);
});
