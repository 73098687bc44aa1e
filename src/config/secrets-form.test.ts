import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

/** References to variables that are not set are refused. */
const environment = { VAULT_TOKEN: "t", SECRET_ID: "s", JWT: "j", A: "a" };

async function read(t: TestContext, way: object) {
	const cwd = await tempFolder(t);
	const vault = { address: "https://vault.example.com:8200", ...way };
	await writeFile(join(cwd, "moorage.yaml"), JSON.stringify({ version: 1, secrets: { vault } }));
	const place = { path: "moorage.yaml", cwd, home: cwd };
	const loaded = await loadPlan({ ...place, environment, overrides: {} });
	if (!loaded.ok) return { problem: loaded.problem.map(formatProblem).join("\n") };
	return { login: loaded.value.secrets?.vault?.login, problem: "" };
}

test("a vault is opened by a token, or by logging in in one of three ways", async (t) => {
	assert.deepEqual(await read(t, { token: "${env:VAULT_TOKEN}" }), {
		login: undefined,
		problem: "",
	});
	const approle = { role_id: "us", secret_id: "${env:SECRET_ID}", mount: "team/approle" };
	assert.deepEqual((await read(t, { approle })).login, {
		mount: "team/approle",
		role: { role_id: "us" },
		proof: { secret_id: "${env:SECRET_ID}" },
	});
	const pod = "${file:/var/run/secrets/kubernetes.io/serviceaccount/token}";
	assert.deepEqual((await read(t, { kubernetes: { role: "us" } })).login, {
		mount: "kubernetes",
		role: { role: "us" },
		proof: { jwt: pod },
	});
	assert.deepEqual((await read(t, { jwt: { role: "us", token: "${env:JWT}" } })).login, {
		mount: "jwt",
		role: { role: "us" },
		proof: { jwt: "${env:JWT}" },
	});
});

test("how a vault is opened is said once, and not with what is in a vault", async (t) => {
	for (const way of [{}, { token: "${env:A}", kubernetes: { role: "us" } }]) {
		assert.match((await read(t, way)).problem, /has to be said in one way/);
	}
	const approle = { role_id: "us", secret_id: "${secret:id}" };
	assert.match((await read(t, { approle })).problem, /cannot come from a vault/);
});

test("a wrong address of a vault refuses the whole file", async (t) => {
	const { problem } = await read(t, { address: "vault.example.com", token: "${env:VAULT_TOKEN}" });
	assert.match(problem, /is no http or https address/);
});

test("a vault elsewhere is reached by https only, one on this machine by http as well", async (t) => {
	const token = "${env:VAULT_TOKEN}";
	for (const address of [
		"http://vault.example.com:8200",
		"http://10.0.0.7:8200",
		"http://127.0.0.1.example.com/",
	]) {
		assert.match((await read(t, { address, token })).problem, /in clear.*`https`/);
	}
	for (const address of ["http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost:8200"]) {
		assert.equal((await read(t, { address, token })).problem, "");
	}
});
