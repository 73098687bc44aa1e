import assert from "node:assert/strict";
import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { vaultRows } from "../../test/support/vault-rows.ts";
import { systemRandom } from "../lib/random.ts";
import { fail, succeed } from "../lib/result.ts";
import { drawMasterKey, type MasterKeyStore, masterKeyOf } from "./master-key.ts";
import { fileStore } from "./master-stores.ts";
import { Vault } from "./vault.ts";
import type { SecretRows } from "./vault-rows.ts";

const everybody = { tenant: "", user: "" };
const use = { owner: {}, server: "github" };

async function house(
	context: TestContext,
	more: { rows?: SecretRows; master?: MasterKeyStore } = {},
) {
	const folder = await tempFolder(context);
	const path = join(folder, "keys", "master-key");
	const rows = more.rows ?? (await vaultRows(context));
	const clock = new FakeClock(1_000_000);
	const open = (master = more.master ?? fileStore(path, systemRandom)) =>
		new Vault({ rows, master, clock, random: systemRandom });
	return { vault: open(), open, rows, clock, path };
}

function messageOf(result: { ok: boolean; problem?: { message: string } }): string {
	return result.problem?.message ?? "";
}

test("a stored value is given back, by a vault that is opened later too", async (context) => {
	const { vault, open } = await house(context);
	assert.ok((await vault.set("github", everybody, "s3cret-välue\nline 2")).ok);
	assert.deepEqual(await vault.get("github", use), succeed("s3cret-välue\nline 2"));
	assert.deepEqual(await open().get("github", use), succeed("s3cret-välue\nline 2"));
	assert.deepEqual(await open().values(), ["s3cret-välue\nline 2"]);
});

test("nothing that is stored shows a value", async (context) => {
	const { vault, rows } = await house(context);
	await vault.set("github", everybody, "a-s3cret-value");
	const stored = JSON.stringify([await rows.list(), await rows.keys()]);
	for (const form of ["a-s3cret-value", Buffer.from("a-s3cret-value").toString("base64url")]) {
		assert.ok(!stored.includes(form));
	}
	assert.doesNotMatch(JSON.stringify(await vault.list()), /s3cret|sealed|key_id/);
});

test("a person's own value comes before their tenant's, and that before everybody's", async (context) => {
	const { vault } = await house(context);
	await vault.set("token", everybody, "everybody");
	await vault.set("token", { tenant: "acme", user: "" }, "of acme");
	await vault.set("token", { tenant: "acme", user: "bob" }, "of bob");
	const get = (owner: { tenant?: string; user?: string }) =>
		vault.get("token", { owner, server: "x" });
	assert.deepEqual(await get({}), succeed("everybody"));
	assert.deepEqual(await get({ tenant: "other", user: "bob" }), succeed("everybody"));
	assert.deepEqual(await get({ tenant: "acme" }), succeed("of acme"));
	assert.deepEqual(await get({ tenant: "acme", user: "alice" }), succeed("of acme"));
	assert.deepEqual(await get({ tenant: "acme", user: "bob" }), succeed("of bob"));
	assert.equal(await vault.remove("token", everybody), true);
	assert.equal(await vault.remove("token", everybody), false);
	assert.match(messageOf(await get({ tenant: "other", user: "eve" })), /for other\/eve/);
});

test("age and use are on record", async (context) => {
	const { vault, clock } = await house(context);
	await vault.set("token", everybody, "first");
	await clock.advance(5000);
	await vault.get("token", use);
	await clock.advance(5000);
	await vault.set("token", everybody, "second");
	const [info] = await vault.list();
	assert.deepEqual(info, {
		name: "token",
		...everybody,
		created_at_ms: 1_000_000,
		changed_at_ms: 1_010_000,
		used_at_ms: 1_005_000,
		used_by: "github",
	});
});

for (const [what, name, scope, value] of [
	["a name with a slash", "a/b", everybody, "value"],
	["no name", "", everybody, "value"],
	["a person without a tenant", "a", { tenant: "", user: "bob" }, "value"],
	["a tenant with a slash", "a", { tenant: "a/b", user: "" }, "value"],
	["a value that is too short", "a", everybody, "abc"],
	["a value that is too long", "a", everybody, "x".repeat(70_000)],
	["a value with a NUL", "a", everybody, "ab\0cd"],
] as const) {
	test(`${what} is refused with what to do`, async (context) => {
		const { vault } = await house(context);
		const refused = await vault.set(name, scope, value);
		assert.ok(!refused.ok && refused.problem.next !== "");
		assert.deepEqual(await vault.list(), []);
	});
}

test("another master key changes no value, and the old one opens nothing any more", async (context) => {
	const { vault, open, path, rows } = await house(context);
	await vault.set("token", everybody, "the value");
	await vault.set("token", { tenant: "acme", user: "bob" }, "bob's value");
	const before = await readFile(path, "utf8");
	const [values_before, keys_before] = [await rows.list(), await rows.keys()];
	const [rotated, during] = await Promise.all([
		vault.rotateMaster(undefined),
		vault.get("token", use),
	]);
	assert.ok(rotated.ok);
	assert.deepEqual(during, succeed("the value"));
	assert.notEqual(await readFile(path, "utf8"), before);
	assert.deepEqual(await vault.get("token", use), succeed("the value"));
	assert.deepEqual(await open().get("token", use), succeed("the value"));
	// Whoever had the old key had the data key, too: none of it is good for what is stored now.
	const old_ids = new Set(keys_before.map(({ id }) => id));
	assert.ok((await rows.keys()).every(({ id }) => !old_ids.has(id)));
	const values_after = await rows.list();
	assert.equal(values_after.length, 2);
	for (const [index, { key_id, sealed, ...rest }] of values_after.entries()) {
		assert.ok(!old_ids.has(key_id));
		const { key_id: _key_id, sealed: sealed_before, ...rest_before } = values_before[index] ?? {};
		assert.notEqual(sealed, sealed_before);
		assert.deepEqual(
			{ ...rest, used_at_ms: 0, used_by: "" },
			{ ...rest_before, used_at_ms: 0, used_by: "" },
		);
	}
	await writeFile(path, before);
	assert.match(messageOf(await open().get("token", use)), /holds another master key/);
});

test("a vault that was open while another process took another key reads what is sealed anew", async (context) => {
	const { vault, open } = await house(context);
	await vault.set("token", everybody, "the value");
	const other = open();
	assert.deepEqual(await other.get("token", use), succeed("the value"));
	assert.ok((await vault.rotateMaster(undefined)).ok);
	assert.deepEqual(await other.get("token", use), succeed("the value"));
	assert.ok((await vault.rotateMaster(undefined)).ok);
	assert.ok((await other.set("token", everybody, "another value")).ok);
	assert.deepEqual(await vault.get("token", use), succeed("another value"));
	assert.deepEqual(await open().get("token", use), succeed("another value"));
});

test("values that an interrupted rotation did not seal anew are so with the next opening", async (context) => {
	const { vault, open, path, rows } = await house(context);
	for (const name of ["one", "two", "three"]) await vault.set(name, everybody, `value ${name}`);
	let left = 1;
	const dying: SecretRows = {
		...bound(rows),
		reseal: (row, before) =>
			left-- > 0 ? rows.reseal(row, before) : Promise.reject(new Error("died")),
	};
	const master = fileStore(path, systemRandom);
	const broken = new Vault({ rows: dying, master, clock: new FakeClock(), random: systemRandom });
	assert.match(messageOf(await broken.rotateMaster(undefined)), /in force, but not every value/);
	assert.equal((await rows.keys()).length, 2);
	for (const name of ["one", "two", "three"]) {
		assert.deepEqual(await broken.get(name, use), succeed(`value ${name}`));
	}
	assert.ok((await open().open()).ok);
	assert.equal((await rows.keys()).length, 1, "the key of before is gone");
	for (const name of ["one", "two", "three"]) {
		assert.deepEqual(await open().get(name, use), succeed(`value ${name}`));
	}
});

test("a damaged value keeps its key, and keeps no other from being sealed anew", async (context) => {
	const { vault, open, rows } = await house(context);
	await vault.set("good", everybody, "the value");
	await vault.set("bad", everybody, "the value");
	const bad = (await rows.list()).find(({ name }) => name === "bad");
	assert.ok(bad !== undefined);
	await rows.put({ ...bad, sealed: `${bad.sealed.slice(0, -8)}AAAAAAAA` });
	assert.ok((await vault.rotateMaster(undefined)).ok);
	assert.equal((await rows.keys()).length, 2);
	await rows.put(bad);
	assert.deepEqual(await open().get("bad", use), succeed("the value"), "once it is mended");
	assert.equal((await rows.keys()).length, 1);
});

test("a rotation that is interrupted anywhere leaves a key that opens everything", async (context) => {
	const { vault, open, path, rows } = await house(context);
	await vault.set("token", everybody, "the value");
	const store = fileStore(path, systemRandom);
	const died = (where: "rows" | "finish") => ({
		rows: {
			...bound(rows),
			replaceKeys:
				where === "rows" ? () => Promise.reject(new Error("died")) : bound(rows).replaceKeys,
		},
		master: {
			...store,
			finish: () => Promise.resolve(fail({ message: "died", next: "" })),
		},
	});
	for (const where of ["rows", "finish"] as const) {
		const { rows: broken, master } = died(where);
		const dying = new Vault({ rows: broken, master, clock: new FakeClock(), random: systemRandom });
		const outcome = await dying.rotateMaster(undefined).catch((error: Error) => error.message);
		assert.ok(outcome === "died" || (typeof outcome === "object" && !outcome.ok));
		assert.deepEqual(await open().get("token", use), succeed("the value"), where);
		await assert.rejects(stat(`${path}.next`), { code: "ENOENT" });
	}
});

test("a key that Moorage cannot write is rotated to the one it is given", async (context) => {
	const first = drawMasterKey(systemRandom);
	let held = first;
	const place = "the environment variable `K`";
	const master: MasterKeyStore = { place, load: () => Promise.resolve(succeed(held)) };
	const { vault, open } = await house(context, { master });
	await vault.set("token", everybody, "the value");
	assert.match(messageOf(await vault.rotateMaster(undefined)), /cannot change/);
	const second = masterKeyOf(Buffer.alloc(32, 7));
	assert.deepEqual(await vault.rotateMaster(second), succeed({ id: second.id }));
	assert.match(messageOf(await open().get("token", use)), /another master key/);
	held = second;
	assert.deepEqual(await open().get("token", use), succeed("the value"));
});

test("a missing master key gives nothing out, stores nothing, and loses nothing", async (context) => {
	const { vault, open, path } = await house(context);
	await vault.set("token", everybody, "the value");
	const key = await readFile(path);
	await rm(path);
	const locked = open();
	assert.match(messageOf(await locked.get("token", use)), /master key .* is missing/);
	assert.match(messageOf(await locked.set("other", everybody, "value")), /missing/);
	assert.match(messageOf(await locked.rotateMaster(undefined)), /missing/);
	assert.equal((await locked.list()).length, 1);
	await assert.rejects(stat(path), { code: "ENOENT" }, "no new key is made in its place");
	await writeFile(path, key, { mode: 0o600 });
	assert.deepEqual(await locked.get("token", use), succeed("the value"), "it is looked for again");
});

test("a master key that others can read is refused until its mode is right", async (context) => {
	if (process.platform === "win32") return context.skip("Windows has no file modes");
	const { vault, open, path } = await house(context);
	await vault.set("token", everybody, "the value");
	await chmod(path, 0o640);
	const refused = await open().open();
	assert.ok(!refused.ok);
	assert.match(refused.problem.next, /chmod 600/);
});

test("a damaged value is told of by its name, and the others are read", async (context) => {
	const { vault, open, rows } = await house(context);
	await vault.set("good", everybody, "the value");
	await vault.set("bad", everybody, "the value");
	const [bad] = await rows.list();
	assert.ok(bad !== undefined);
	await rows.put({ ...bad, sealed: `${bad.sealed.slice(0, -8)}AAAAAAAA` });
	assert.match(messageOf(await open().get("bad", use)), /`bad` is damaged/);
	assert.deepEqual(await open().get("good", use), succeed("the value"));
	assert.deepEqual(await open().damaged(), ["bad"]);
});

test("a value that was put in the place of another does not open", async (context) => {
	const { vault, rows } = await house(context);
	await vault.set("mine", { tenant: "acme", user: "eve" }, "eve's value");
	await vault.set("mine", { tenant: "acme", user: "bob" }, "bob's value");
	const all = await rows.list();
	const [bob, eve] = [
		all.find(({ user }) => user === "bob"),
		all.find(({ user }) => user === "eve"),
	];
	assert.ok(bob !== undefined && eve !== undefined);
	await rows.put({ ...eve, sealed: bob.sealed });
	const got = await vault.get("mine", { owner: { tenant: "acme", user: "eve" }, server: "x" });
	assert.match(messageOf(got), /damaged/);
});

test("a damaged key is told of as such", async (context) => {
	const { vault, open, rows } = await house(context);
	await vault.set("token", everybody, "the value");
	const [key] = await rows.keys();
	assert.ok(key !== undefined);
	await rows.replaceKeys([{ ...key, sealed: "box1.AAAA" }]);
	assert.match(messageOf(await open().get("token", use)), /key .* of the vault is damaged/);
});

test("of two who replace the same value, the second is told, even in the same millisecond", async (context) => {
	const { vault } = await house(context);
	await vault.set("token", everybody, "the value");
	const [before] = await vault.list();
	const tag = `"${before?.changed_at_ms}"`;
	const expected = (now: string | undefined) => now === tag;
	const both = await Promise.all([
		vault.set("token", everybody, "of the first", expected),
		vault.set("token", everybody, "of the second", expected),
	]);
	assert.deepEqual(
		both.map(({ ok }) => ok),
		[true, false],
	);
	assert.deepEqual(await vault.get("token", use), succeed("of the first"));
	const absent = (now: string | undefined) => now === undefined;
	const twice = [1, 2].map(() => vault.set("new", everybody, "the value", absent));
	assert.deepEqual(
		(await Promise.all(twice)).map((one) => one.ok || (one.problem.changed === true && "changed")),
		[true, "changed"],
	);
});

function bound(rows: SecretRows): SecretRows {
	return {
		keys: () => rows.keys(),
		addKey: (key) => rows.addKey(key),
		replaceKeys: (keys) => rows.replaceKeys(keys),
		removeUnusedKeys: (ids) => rows.removeUnusedKeys(ids),
		reseal: (row, before) => rows.reseal(row, before),
		list: () => rows.list(),
		get: (scope, name) => rows.get(scope, name),
		put: (row) => rows.put(row),
		remove: (scope, name) => rows.remove(scope, name),
		used: (scope, name, at_ms, by) => rows.used(scope, name, at_ms, by),
	};
}
