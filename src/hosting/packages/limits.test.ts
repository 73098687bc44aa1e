import assert from "node:assert/strict";
import { mkdir, readdir, readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock, settle } from "../../../test/support/fake-clock.ts";
import { SeededRandom } from "../../../test/support/seeded-random.ts";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { succeed } from "../../lib/result.ts";
import { contentsDigest } from "./contents.ts";
import { explainNpm } from "./failure.ts";
import { folderName, record_name } from "./installed.ts";
import { type LockEntry, type NpmEntry, treeDigest } from "./lock-entry.ts";
import { LockFile } from "./lock-file.ts";
import { parseNpmSpec } from "./npm-spec.ts";
import { programIdentity } from "./program-identity.ts";
import { parseRequirement } from "./python-command.ts";
import { sweepPackages } from "./sweep.ts";

const tree = { "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } };
const entry: NpmEntry = {
	ecosystem: "npm",
	name: "a",
	version: "1.0.0",
	integrity: "sha512-x",
	digest: treeDigest("npm", tree),
	platform: "p",
	tree,
};

test("a package may be named at such a length, and no longer", () => {
	// spec_length_max and requirement_length_max
	for (const length of [1, 299, 300]) {
		const name = "x".repeat(length);
		assert.deepEqual(parseNpmSpec(name), {
			kind: "registry",
			spec: { name, range: undefined },
		});
		assert.deepEqual(parseRequirement(name), { name, text: name });
	}
	assert.deepEqual(parseNpmSpec("x".repeat(301)), { kind: "invalid" });
	assert.equal(parseRequirement("x".repeat(301)), undefined);
});

test("a folder's name is as long as people read, and two that begin alike are two", () => {
	// name_length_max
	const named = (name: string, digest = "sha256-x") => folderName({ ...entry, name, digest }, []);
	const readable = (name: string) => named(name).replace(/-[0-9a-f]{16}$/u, "");
	const long = (length: number) => "x".repeat(length - "@1.0.0".length);
	assert.equal(readable(long(79)), `${long(79)}@1.0.0`);
	assert.equal(readable(long(80)), `${long(80)}@1.0.0`);
	assert.equal(readable(long(81)), `${long(81)}@1.0.`);
	assert.notEqual(named(long(300)), named(long(300), "sha256-y"));
});

test("an installer's words are as long as a sentence bears, and are said to go on", () => {
	// line_length_max
	for (const length of [299, 300]) {
		assert.equal(explainNpm("", "x".repeat(length)).line, "x".repeat(length));
	}
	assert.equal(explainNpm("", "x".repeat(301)).line, `${"x".repeat(300)}…`);
});

test("a change of a script is seen in as many arguments as name programs", async (t) => {
	// arguments_max
	const cwd = await tempFolder(t, { "server.js": "1" });
	const digestAt = async (place: number) => {
		const args = [...Array.from({ length: place - 1 }, () => "-x"), "server.js"];
		const spec = { driver: "stdio", command: process.execPath, args, env: {}, cwd } as const;
		return (await programIdentity(spec, undefined))?.digest;
	};
	const all = () => Promise.all([1, 31, 32, 33].map(digestAt));
	const before = await all();
	await writeFile(join(cwd, "server.js"), "2");
	const after = await all();
	assert.deepEqual(
		after.map((digest, at) => digest !== before[at]),
		[true, true, true, false],
	);
});

test("a script is read to such a size, and a larger one is known by its size and time", async (t) => {
	// script_bytes_max
	const cwd = await tempFolder(t, { "server.js": "" });
	const path = join(cwd, "server.js");
	const when = new Date(1_700_000_000_000);
	const digestOf = async (bytes: number, first: string, time = when) => {
		await writeFile(path, first);
		await truncate(path, bytes);
		await utimes(path, time, time);
		const spec = { command: process.execPath, args: ["server.js"], env: {}, cwd } as const;
		return (await programIdentity({ driver: "stdio", ...spec }, undefined))?.digest;
	};
	const most = 8 * 1024 ** 2;
	const later = new Date(1_700_000_001_000);
	for (const bytes of [most - 1, most]) {
		assert.notEqual(await digestOf(bytes, "1"), await digestOf(bytes, "2"), String(bytes));
		assert.equal(await digestOf(bytes, "1"), await digestOf(bytes, "1", later));
	}
	assert.equal(await digestOf(most + 1, "1"), await digestOf(most + 1, "2"));
	assert.notEqual(await digestOf(most + 1, "1"), await digestOf(most + 1, "1", later));
	assert.notEqual(await digestOf(most + 1, "1"), await digestOf(most + 2, "1"));
});

test("a sweep removes as many folders as may be, and the next one the rest", async (t) => {
	// removals_max
	for (const [count, first, second] of [
		[31, 31, 0],
		[32, 32, 0],
		[33, 32, 1],
	] as const) {
		const data_dir = await tempFolder(t);
		const place = join(data_dir, "packages", "npm");
		for (let at = 0; at < count; at += 1) await mkdir(join(place, `p${at}`), { recursive: true });
		await mkdir(join(place, "kept"));
		await writeFile(join(place, "kept", record_name), '{"digest":"needed"}');
		await mkdir(join(place, "runs"));
		const sweep = {
			data_dir,
			clock: systemClock,
			random: new SeededRandom(1),
			digests: new Set(["needed"]),
			used: new Set([join(place, "runs")]),
		};
		assert.equal((await sweepPackages(sweep)).length, first);
		assert.equal((await readdir(place)).length, count - first + 2);
		assert.equal((await sweepPackages(sweep)).length, second);
		assert.deepEqual((await readdir(place)).toSorted(), ["kept", "runs"]);
	}
});

test("the digest of an installation has every file, however many are read at a time", async (t) => {
	// reads_max
	for (const count of [15, 16, 17, 33]) {
		const folder = await tempFolder(t);
		const name = (at: number) => join(folder, `f${String(at).padStart(2, "0")}`);
		for (let at = 0; at < count; at += 1) await writeFile(name(at), String(at));
		const digest = await contentsDigest(folder);
		for (const at of [0, 14, 15, 16, 31, 32].filter((one) => one < count)) {
			await writeFile(name(at), "changed");
			assert.notEqual(await contentsDigest(folder), digest, `${at} of ${count}`);
			await writeFile(name(at), String(at));
		}
		assert.equal(await contentsDigest(folder), digest);
	}
});

test("a lock may be as large as it may, and neither a larger one is read nor written", async (t) => {
	// lock_bytes_max
	const folder = await tempFolder(t);
	const path = join(folder, "moorage.lock");
	const fileOf = (bytes?: number) =>
		new LockFile({ beside: undefined, own: path }, systemClock, bytes);
	const change = (name: string, bytes?: number) =>
		fileOf(bytes).change(name, () => succeed<LockEntry>({ ...entry, name }));
	assert.ok((await change("npm:a")).ok);
	const first = await readFile(path, "utf8");
	assert.ok((await change("npm:b")).ok);
	const both = Buffer.byteLength(await readFile(path, "utf8"));
	for (const bytes of [both + 1, both]) {
		await writeFile(path, first);
		assert.ok((await change("npm:b", bytes)).ok);
		const lock = await fileOf(bytes).read();
		assert.ok(lock.ok && lock.value.size === 2);
	}
	assert.deepEqual(await fileOf(both - 1).read(), {
		ok: false,
		problem: { kind: "lock_damaged", line: `${path} is larger than any lock` },
	});
	await writeFile(path, first);
	assert.deepEqual(await change("npm:b", both - 1), {
		ok: false,
		problem: { kind: "other", line: `${path} would be larger than any lock` },
	});
	assert.equal(await readFile(path, "utf8"), first, "it is as it was");
	assert.deepEqual(await readdir(folder), ["moorage.lock"]);
});

test("a lock that somebody holds is waited for as long as a writer takes, and no longer", async (t) => {
	// held_ms_max
	const folder = await tempFolder(t);
	const clock = new FakeClock();
	const held = join(folder, ".moorage.lock.held");
	await writeFile(held, "");
	const since = new Date(clock.now());
	await utimes(held, since, since);
	const file = new LockFile({ beside: undefined, own: join(folder, "moorage.lock") }, clock);
	let is_done = false;
	const changing = file
		.change("npm:a", () => succeed<LockEntry>(entry))
		.then(() => {
			is_done = true;
		});
	// It looks again whenever its timer has ended, and there is one as long as it waits.
	const wait = async (wait_ms: number) => {
		const until_ms = clock.monotonic() + wait_ms;
		while (clock.monotonic() < until_ms) {
			await until(() => clock.pending === 1);
			await clock.advance(Math.min(20, until_ms - clock.monotonic()));
		}
		await until(() => clock.pending === 1 || is_done);
	};
	await wait(10_000);
	await settle();
	assert.equal(is_done, false);
	assert.deepEqual(await readdir(folder), [".moorage.lock.held"]);
	await clock.advance(20);
	await changing;
	assert.deepEqual(await readdir(folder), ["moorage.lock"]);
});
