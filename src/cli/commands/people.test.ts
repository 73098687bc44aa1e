import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runCli } from "../../../test/support/run-cli.ts";
import { startStandIn } from "../../../test/support/stand-in-gateway.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";

/** Runs commands on a data folder on which no gateway runs. */
async function offline(t: TestContext) {
	const cwd = await tempFolder(t);
	return async (args: readonly string[], input?: string) =>
		await runCli([...args, "--data", join(cwd, "data")], {
			cwd,
			...(input === undefined ? {} : { input }),
		});
}

test("people are added, listed, changed and removed while no gateway runs", async (t) => {
	const run = await offline(t);
	const added = await run(["user", "add", "acme/ana", "--role", "admin"], "correct horse\n");
	assert.deepEqual([added.code, added.stdout], [0, "Added acme/ana.\n"], added.stderr);
	await run(["user", "add", "bob", "--tenant", "globex", "--passwordless"]);
	const listed = await run(["user", "ls"]);
	assert.match(listed.stdout, /^USER +ROLES +LOGS IN WITH +LAST LOGIN\nacme\/ana +admin +password/);
	assert.match(listed.stdout, /\nglobex\/bob +- +-\n$/);
	const roles = await run(["user", "roles", "acme/ana", "--role", "operator", "--role", "auditor"]);
	assert.equal(roles.stdout, "acme/ana: operator, auditor\n");
	assert.equal((await run(["user", "passwd", "acme/ana"], "another horse\n")).code, 0);
	assert.equal((await run(["user", "logout", "acme/ana"])).code, 0);
	assert.equal((await run(["user", "rm", "acme/ana"])).code, 0);
	const { users } = JSON.parse((await run(["user", "ls", "--json"])).stdout) as {
		users: { id: string }[];
	};
	assert.deepEqual(
		users.map(({ id }) => id),
		["globex/bob"],
	);
});

test("what cannot be done with people says what to do instead", async (t) => {
	const run = await offline(t);
	for (const [args, input, code, text] of [
		[["user", "add", "ana"], "", 2, /no password on standard input/],
		[["user", "add", "ana"], "short\n", 1, /at least 8 characters/],
		[["user", "add"], "", 2, /user add NAME/],
		[["user", "promote", "ana"], "", 2, /no `moorage user promote`/],
		[["user", "rm", "ana"], "", 1, /no user "default\/ana".*\n.*moorage user ls/],
		[["key", "rm", "ci"], "", 1, /no key named "ci".*\n.*moorage key ls/],
		[["key", "add"], "", 2, /The key has no name/],
		[["key", "add", "ci", "--expires", "soon"], "", 2, /`soon` is not a day/],
		[["client", "add", "x"], "", 1, /needs redirect addresses/],
		[["client", "add", "x", "--redirect", "javascript:alert(1)"], "", 1, /redirect address/],
		[["client", "add", "x", "--redirect", "http://evil.example/"], "", 1, /redirect address/],
		[["client", "add", "x", "--user", "ci"], "", 1, /needs a secret or public keys/],
		[["client", "add", "x", "--user", "ci", "--jwks", "no.json"], "", 2, /cannot be read/],
		[["client", "rm", "x"], "", 1, /no client "x"/],
		[["client", "rm"], "", 2, /client rm ID/],
	] as const) {
		const outcome = await run(args, input);
		assert.equal(outcome.code, code, args.join(" "));
		assert.match(outcome.stderr, text, args.join(" "));
	}
});

test("a key is shown once; afterwards only that it exists", async (t) => {
	const run = await offline(t);
	const args = ["key", "add", "ci", "--tenant", "acme", "--scope", "billing"];
	const added = await run([...args, "--expires", "2027-01-31"]);
	const key = added.stdout.trim();
	assert.match(key, /^moorage_[\w-]{43}$/);
	const listed = await run(["key", "ls"]);
	assert.match(listed.stdout, /ci +acme\/ci +billing +2027-01-31 00:00 +- +store\n/);
	assert.ok(!(await run(["key", "ls", "--json"])).stdout.includes(key));
	assert.match((await run(args)).stderr, /a key named "ci" already/);
	assert.equal((await run(["key", "rm", "ci"])).code, 0);
});

test("clients of people and clients that act alone are registered", async (t) => {
	const run = await offline(t);
	const editor = await run(["client", "add", "editor", "--redirect", "http://127.0.0.1/cb"]);
	assert.equal(editor.stdout, "client_id: editor\n");
	const ci = await run(["client", "add", "ci", "--secret", "--user", "ci", "--json"]);
	const { client_secret } = JSON.parse(ci.stdout) as { client_secret: string };
	assert.match(client_secret, /^[\w-]{43}$/);
	const listed = await run(["client", "ls"]);
	assert.match(listed.stdout, /\nci +by hand +default\/ci +0 people\neditor +by hand +- +0 people/);
	assert.ok(!listed.stdout.includes(client_secret));
	assert.match((await run(["client", "add", "ci", "--secret", "--user", "x"])).stderr, /already/);
	assert.equal((await run(["client", "rm", "editor"])).code, 0);
});

test("where a gateway runs, it is asked", async (t) => {
	const standIn = await startStandIn(t);
	const { folder, backend } = standIn;
	const cases: [string[], RegExp, string | undefined][] = [
		[["user", "ls"], /acme\/ana +admin +password/, undefined],
		[["user", "add", "bo", "--tenant", "acme"], /Added acme\/bo/, "correct horse\n"],
		[["user", "passwd", "acme/ana"], /another password/, "correct horse\n"],
		[["user", "logout", "acme/ana"], /has ended/, undefined],
		[["user", "rm", "acme/ana"], /Removed acme\/ana/, undefined],
		[["key", "ls"], /ci +acme\/ana +all +never/, undefined],
		[["key", "add", "new"], /^moorage_shown-once\n$/, undefined],
		[["key", "rm", "ci"], /Removed the key "ci"/, undefined],
		[["client", "ls"], /app .*by hand +- +1 people/, undefined],
		[["client", "add", "--redirect", "https://x.example/cb"], /client_id: app/, undefined],
		[["client", "rm", "app"], /Removed the client app/, undefined],
	];
	for (const [args, text, input] of cases) {
		const world = { cwd: folder, ...(input === undefined ? {} : { input }) };
		const outcome = await runCli([...args, "--data", standIn.data], world);
		assert.equal(outcome.code, 0, outcome.stderr);
		assert.match(outcome.stdout, text, args.join(" "));
	}
	assert.ok(
		backend.calls.includes(
			'addUser({"tenant":"acme","user":"bo","roles":[],"password":"correct horse"})',
		),
	);
	assert.ok(backend.calls.includes("removeKey(ci)"));
});

test("the public keys of a client come from a file", async (t) => {
	const cwd = await tempFolder(t);
	const jwks = { keys: [{ kty: "EC", crv: "P-256", x: "AA", y: "AA" }] };
	await writeFile(join(cwd, "keys.json"), JSON.stringify(jwks));
	const args = ["client", "add", "bot", "--jwks", "keys.json", "--user", "bot", "--json"];
	const outcome = await runCli([...args, "--data", join(cwd, "data")], { cwd });
	assert.equal(outcome.code, 0, outcome.stderr);
	const { client } = JSON.parse(outcome.stdout) as { client: { grant_types: string[] } };
	assert.deepEqual(client.grant_types, ["client_credentials"]);
});
