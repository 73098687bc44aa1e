import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { vaultRows } from "../../test/support/vault-rows.ts";
import type { SaidTool } from "../catalog/said-tools.ts";
import { loadPlan } from "../config/load.ts";
import { systemRandom } from "../lib/random.ts";
import { fileStore } from "../secrets/master-stores.ts";
import { Vault } from "../secrets/vault.ts";
import { checkSecrets } from "./check-secrets.ts";

const day_ms = 86_400_000;
const reading: SaidTool = { name: "list_items", annotations: { readOnlyHint: true } };
const changing: SaidTool = { name: "delete_item", annotations: { destructiveHint: true } };

async function house(t: TestContext, servers: object, tools: readonly SaidTool[] = []) {
	const yaml = JSON.stringify({ version: 1, servers });
	const cwd = await tempFolder(t, { "moorage.yaml": yaml });
	const environment = { API_TOKEN: "a-token-of-the-environment", REGION: "eu" };
	const places = { path: "moorage.yaml", cwd, home: cwd };
	const loaded = await loadPlan({ ...places, environment, overrides: {} });
	assert.ok(loaded.ok, JSON.stringify(loaded));
	const clock = new FakeClock(1_790_000_000_000);
	const rows = await vaultRows(t);
	const master = fileStore(join(cwd, "master-key"), systemRandom);
	const vault = new Vault({ rows, master, clock, random: systemRandom });
	const check = () =>
		checkSecrets(vault, {
			clock,
			age_days_max: 90,
			plan: () => loaded.value,
			tools: () => tools,
		});
	return { vault, clock, rows, check };
}

const everybody = { tenant: "", user: "" };
const program = (env: object) => ({ command: "server", env });

for (const [what, env, named] of [
	["of the vault", { TOKEN: "${secret:token}" }, "`token`"],
	["of another vault", { T: "${vault:secret/a#key}" }, "`${vault:secret/a#key}`"],
	["of the environment", { T: "${env:API_TOKEN}" }, "`${env:API_TOKEN}`"],
] as const) {
	test(`tools that read and tools that change things share a credential: ${what}`, async (t) => {
		const { vault, check } = await house(t, { one: program(env) }, [reading, changing]);
		await vault.set("token", everybody, "the value");
		const broad = (await check()).find(({ kind }) => kind === "broad");
		assert.equal(broad?.server, "one");
		assert.ok(broad?.message.includes(`share the credential ${named}`), broad?.message);
		assert.match(broad?.next ?? "", /Add the server twice/);
	});
}

test("a credential in an argument is told of, and where else it could be; in env it is not", async (t) => {
	const args = ["--token=${secret:token}", "--key", "${env:API_TOKEN}", "${env:REGION}"];
	const inContainer = { image: "ghcr.io/x/y:1", args: ["${vault:secret/a#key}"] };
	const one = { command: "server", args, env: { TOKEN: "${secret:token}" } };
	const { vault, check } = await house(t, { one, two: inContainer });
	await vault.set("token", everybody, "the value");
	const found = (await check()).filter(({ kind }) => kind === "argument");
	assert.deepEqual(
		found.map(({ message }) => message.split(":").slice(0, -1).join(":")),
		[
			"`token` is in argument 1 of `one`",
			"`${env:API_TOKEN}` is in argument 3 of `one`",
			"`${vault:secret/a#key}` is in argument 1 of `two`",
		],
	);
	assert.equal(found[0]?.secret, "token");
	for (const { next } of found) assert.match(next, /`env`.*`files`/);
});

test("nothing is shared too broadly by tools that all read, that all change, or that have no credential", async (t) => {
	const credential = program({ TOKEN: "${secret:token}" });
	for (const [server, tools] of [
		[credential, [reading]],
		[credential, [changing]],
		[program({ REGION: "${env:REGION}" }), [reading, changing]],
	] as const) {
		const { vault, check } = await house(t, { one: server }, tools);
		await vault.set("token", everybody, "the value");
		assert.deepEqual(
			(await check()).filter(({ kind }) => kind === "broad"),
			[],
		);
	}
});

test("what is missing, damaged, old, unused and given to several is told, each with what to do", async (t) => {
	const { vault, clock, rows, check } = await house(t, {
		one: program({ A: "${secret:both}", B: "${secret:absent}", C: "${secret:bad}" }),
		two: program({ A: "${secret:both}" }),
	});
	for (const name of ["bad", "both", "spare"]) await vault.set(name, everybody, "the value");
	const bad = (await rows.list()).find(({ name }) => name === "bad");
	assert.ok(bad !== undefined);
	await rows.put({ ...bad, sealed: `${bad.sealed.slice(0, -8)}AAAAAAAA` });
	await clock.advance(91 * day_ms);
	const findings = await check();
	assert.deepEqual(
		findings.map(({ kind, secret }) => `${kind} ${secret}`),
		[
			"damaged bad",
			"missing absent",
			"shared both",
			"old bad",
			"old both",
			"old spare",
			"unused spare",
		],
	);
	for (const { next } of findings) assert.notEqual(next, "");
	assert.doesNotMatch(JSON.stringify(findings), /the value/);
});
