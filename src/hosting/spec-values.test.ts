import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import type { HttpSpec, StdioSpec } from "../config/plan.ts";
import { succeed } from "../lib/result.ts";
import {
	envFileSource,
	environmentSource,
	fileSource,
	heldSource,
	type ValueOwner,
	type ValueSource,
} from "../secrets/values.ts";
import { SpecValues, specReferences } from "./spec-values.ts";
import { withFiles } from "./value-files.ts";

const environment = { TOKEN: "t0ken-value", PKG: "left-pad", EMPTY: "" };
const program: StdioSpec = { driver: "stdio", command: "run", args: [], env: {}, cwd: "/" };
const remote: HttpSpec = { driver: "http", url: "https://example.com/mcp", headers: {} };
const key = { server: "one", scope_key: "" };

function house(secrets: Record<string, string> = {}) {
	const told: string[] = [];
	const asked: ValueOwner[] = [];
	const store: ValueSource = {
		get(name, { owner }) {
			asked.push(owner);
			const value = secrets[name];
			const problem = { message: `There is no secret \`${name}\`.`, next: "Store it." };
			return Promise.resolve(value === undefined ? { ok: false, problem } : succeed(value));
		},
	};
	const values = new SpecValues({
		environment,
		sources: {
			env: environmentSource(environment),
			file: fileSource(),
			envfile: envFileSource(),
			input: heldSource("input", (id) => (id === "a" ? "an answer" : undefined)),
			secret: store,
		},
		onSecret: (value) => told.push(value),
		ownerOf: (scope_key) => (scope_key === "user:acme/bob" ? { tenant: "acme", user: "bob" } : {}),
		digest_key: Buffer.alloc(32, 1),
	});
	return { values, told, asked, secrets };
}

test("values are put in where their references stand, and only there", async () => {
	const { values } = house({ a: "one", b: "${env:TOKEN}" });
	const spec: StdioSpec = {
		...program,
		args: ["--x=${secret:a}", "$${secret:a}", "${input:a}"],
		env: { A: "Bearer ${env:TOKEN}", B: "${secret:b}", C: "plain" },
	};
	const filled = await values.fillIn(spec, key);
	assert.ok(filled.ok);
	assert.deepEqual(filled.value.spec, {
		...program,
		args: ["--x=one", "${secret:a}", "an answer"],
		env: { A: "Bearer t0ken-value", B: "${env:TOKEN}", C: "plain" },
	});
});

test("a remote server gets its address, headers and credentials", async () => {
	const { values, told } = house({ a: "one\n", b: "two", key: "-----BEGIN-----\nx" });
	const auth = {
		grant: "client_credentials" as const,
		client_id: "me",
		client_secret: "${secret:b}",
		private_key: "${secret:key}",
		client_metadata: undefined,
		issuer: undefined,
		scopes: [],
	};
	const url = "https://example.com/mcp?key=${secret:b}";
	const spec: HttpSpec = { ...remote, url, headers: { "X-Key": "${secret:a}" }, auth };
	const filled = await values.fillIn(spec, key);
	assert.ok(filled.ok && filled.value.spec.driver === "http");
	assert.equal(filled.value.spec.url, "https://example.com/mcp?key=two");
	assert.deepEqual(filled.value.spec.headers, { "X-Key": "one" });
	assert.equal(filled.value.spec.auth?.client_secret, "two");
	assert.equal(filled.value.spec.auth?.private_key, "-----BEGIN-----\nx");
	assert.deepEqual(told, ["one\n", "two", "two", "-----BEGIN-----\nx"]);
});

test("whoever redacts is told of secrets, not of paths and switches", async () => {
	const { values, told } = house({ a: "from the vault" });
	const env = {
		HOME: "${env:PKG}",
		GITHUB_TOKEN: "${env:PKG}",
		A: "${env:TOKEN}",
		B: "${secret:a}",
	};
	await values.fillIn({ ...program, env }, key);
	assert.deepEqual(told, ["left-pad", "t0ken-value", "from the vault"]);
});

test("a value that cannot be had stops the start, with what to do and no other value", async () => {
	const { values } = house({ a: "known-s3cret" });
	const env = { A: "${secret:a}", B: "${secret:missing}" };
	const filled = await values.fillIn({ ...program, env }, key);
	assert.ok(!filled.ok);
	assert.equal(filled.problem.message, "There is no secret `missing`.");
	assert.doesNotMatch(JSON.stringify(filled), /known-s3cret/);
});

for (const [spec, message] of [
	[{ ...remote, headers: { A: "${secret:lines}" } }, /`A` cannot be sent/],
	[{ ...remote, url: "${secret:lines}" }, /`url` is not an address/],
	[{ ...program, env: { A: "${secret:nul}" } }, /NUL/],
	[{ ...program, env: { A: "${env:UNSET}" } }, /`UNSET` is not set/],
	[{ ...program, env: { A: "${input:b}" } }, /no answer to the input `b`/],
	[{ ...program, env: { A: "${vault:a/b#c}" } }, /nothing that/],
	[{ ...program, env: { A: "${file:/no/such/file}" } }, /does not exist/],
] as const) {
	test(`a spec that cannot be run is refused: ${String(message)}`, async () => {
		const { values } = house({ lines: "a\nb", nul: "a\0b" });
		const filled = await values.fillIn(spec, key);
		assert.ok(!filled.ok);
		assert.match(filled.problem.message, message);
		assert.doesNotMatch(filled.problem.message, /a\nb/);
	});
}

test("values come from files, and from variables in files", async (context) => {
	const folder = await tempFolder(context);
	await writeFile(join(folder, "token"), "in a file\n");
	await writeFile(join(folder, ".env"), "A='quoted value'\nB=2\n");
	const { values } = house();
	const env = {
		A: `\${file:${join(folder, "token")}}`,
		B: `\${envfile:${join(folder, ".env")}#A}`,
	};
	const filled = await values.fillIn({ ...program, env }, key);
	assert.ok(filled.ok && filled.value.spec.driver === "stdio");
	assert.deepEqual(filled.value.spec.env, { A: "in a file", B: "quoted value" });
	for (const bad of [folder, join(folder, "big"), join(folder, "binary")]) {
		await writeFile(join(folder, "big"), Buffer.alloc(100_000, "a"));
		await writeFile(join(folder, "binary"), Buffer.from([0xff, 0xfe, 0]));
		assert.ok(!(await values.fillIn({ ...program, env: { A: `\${file:${bad}}` } }, key)).ok);
	}
});

test("the digest is equal for equal values only, and shows none", async () => {
	const { values, secrets } = house({ a: "one", b: "two" });
	const spec = { ...program, env: { A: "${secret:a}", B: "${secret:b}" } };
	const digest = async () => {
		const filled = await values.fillIn(spec, key);
		assert.ok(filled.ok);
		return filled.value.digest;
	};
	const first = await digest();
	assert.equal(await digest(), first);
	secrets["a"] = "ones";
	assert.notEqual(await digest(), first);
	Object.assign(secrets, { a: "onet", b: "wo" });
	assert.notEqual(await digest(), first);
});

test("the values of the person are asked for whose instance it is", async () => {
	const { values, asked } = house({ a: "one" });
	const spec = { ...program, env: { A: "${secret:a}" } };
	await values.fillIn(spec, { server: "one", scope_key: "user:acme/bob" });
	await values.fillIn(spec, key);
	assert.deepEqual(asked, [{ tenant: "acme", user: "bob" }, {}]);
});

test("what a package is found by is put in before it is looked for, secrets are not", () => {
	const { values } = house({ a: "one" });
	const spec = {
		...program,
		args: ["-y", "${env:PKG}", "${secret:a}", "$${x}"],
		env: { PATH: "${env:UNSET}", X: "${env:TOKEN}" },
	};
	const prepared = values.prepare(spec);
	assert.ok(prepared.driver === "stdio");
	assert.deepEqual(prepared.args, ["-y", "left-pad", "${secret:a}", "$${x}"]);
	assert.deepEqual(prepared.env, { PATH: "${env:UNSET}", X: "t0ken-value" });
	assert.equal(values.prepare(remote), remote);
});

test("all references of a spec are found", () => {
	const spec: StdioSpec = {
		...program,
		args: ["${secret:a}"],
		env: { A: "${env:B}" },
		files: { F: "${vault:c/d#e}" },
	};
	assert.deepEqual(
		specReferences(spec).map(({ kind }) => kind),
		["secret", "env", "vault"],
	);
});

test("files are written for the instance alone, and their paths given to it", async (context) => {
	const temp = await tempFolder(context);
	const { values } = house({ key: "-----BEGIN-----\n" });
	const spec = { ...program, files: { "KEY/../x": "${secret:key}", B: "plain" } };
	const filled = await values.fillIn(spec, key);
	assert.ok(filled.ok);
	const ready = await withFiles(filled.value, temp);
	assert.ok(ready.ok && ready.value.driver === "stdio");
	assert.equal(ready.value.files, undefined);
	const path = ready.value.env["KEY/../x"] ?? "";
	assert.equal(dirname(path), join(temp, "secrets"));
	assert.equal(await readFile(path, "utf8"), "-----BEGIN-----\n");
	if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o400);
	const again = await withFiles(filled.value, temp);
	assert.ok(!again.ok && !again.problem.message.includes("BEGIN"));
	assert.ok(!(await withFiles(filled.value, undefined)).ok);
});
