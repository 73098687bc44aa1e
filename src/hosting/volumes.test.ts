import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { scopeFolder, Volumes } from "./volumes.ts";

async function open(volumes: Volumes, scope_key: string, number = 1, server = "notes") {
	const opened = await volumes.open(server, scope_key, number);
	assert.ok(opened.ok, JSON.stringify(opened));
	return opened.value;
}

async function setUp(t: TestContext) {
	const data_dir = await tempFolder(t);
	return { data_dir, volumes: new Volumes(data_dir) };
}

test("an instance gets a volume and a temporary folder that nobody else may enter", async (t) => {
	const { data_dir, volumes } = await setUp(t);
	const folders = await open(volumes, "user:acme/ada", 7);
	const folder = scopeFolder("user:acme/ada");
	assert.equal(folders.volume, join(data_dir, "volumes", "notes", folder));
	assert.equal(folders.volume, volumes.path("notes", "user:acme/ada"));
	assert.equal(folders.instance, `notes/${folder}/7`);
	for (const path of [folders.volume, folders.temp, join(data_dir, "volumes")]) {
		assert.equal(statSync(path).mode & 0o777, 0o700, path);
	}
});

test("a volume outlives its instances, a temporary folder does not", async (t) => {
	const { data_dir, volumes } = await setUp(t);
	const first = await open(volumes, "user:acme/ada", 1);
	writeFileSync(join(first.volume, "kept"), "a");
	writeFileSync(join(first.temp, "lost"), "a");
	await volumes.close(first);
	assert.equal(existsSync(first.temp), false);
	await volumes.close(first);
	const second = await open(new Volumes(data_dir), "user:acme/ada", 2);
	assert.equal(second.volume, first.volume);
	assert.deepEqual(readdirSync(second.volume), ["kept"]);
	assert.deepEqual(readdirSync(second.temp), []);
});

test("instances of one person share the volume and nothing else", async (t) => {
	const { volumes } = await setUp(t);
	const [one, other] = await Promise.all([
		open(volumes, "user:acme/ada", 1),
		open(volumes, "user:acme/ada", 2),
	]);
	assert.equal(one.volume, other.volume);
	assert.notEqual(one.temp, other.temp);
	assert.notEqual(one.instance, other.instance);
});

test("different people and different servers share no folder", async (t) => {
	const { volumes } = await setUp(t);
	const all = [
		await open(volumes, "", 1),
		await open(volumes, "user:acme/ada", 2),
		await open(volumes, "user:acme/bob", 3),
		await open(volumes, "tenant:acme", 4),
		await open(volumes, "", 1, "other"),
	];
	const paths = all.flatMap(({ volume, temp }) => [volume, temp]);
	assert.equal(new Set(paths).size, paths.length);
	// Nor does one lie inside another.
	for (const path of paths) {
		assert.ok(paths.every((other) => other === path || !other.startsWith(`${path}/`)));
	}
	for (const path of paths) assert.doesNotMatch(path, /ada|bob/);
});

test("whose a volume is stands beside it, where its server cannot reach", async (t) => {
	const { volumes } = await setUp(t);
	const { volume } = await open(volumes, "user:acme/ada");
	const owner = JSON.parse(readFileSync(`${volume}.json`, "utf8"));
	assert.deepEqual(owner, { server: "notes", scope_key: "user:acme/ada" });
	assert.equal(statSync(`${volume}.json`).mode & 0o777, 0o600);
	assert.deepEqual(readdirSync(volume), []);
});

test("a volume that belongs to somebody else is refused", async (t) => {
	const { volumes } = await setUp(t);
	const { volume } = await open(volumes, "user:acme/ada");
	await writeFile(`${volume}.json`, '{"server":"notes","scope_key":"user:acme/bob"}');
	const refused = await volumes.open("notes", "user:acme/ada", 2);
	assert.ok(!refused.ok);
	assert.match(refused.problem.message, /belongs to somebody else/);
});

test("what a killed gateway left in temporary folders is gone with the first instance", async (t) => {
	const { data_dir } = await setUp(t);
	const left = join(data_dir, "temp", "notes", "shared-9");
	await mkdir(left, { recursive: true });
	const volumes = new Volumes(data_dir);
	const one = await open(volumes, "", 1);
	assert.equal(existsSync(left), false);
	const other = await open(volumes, "", 2);
	assert.ok(existsSync(one.temp) && existsSync(other.temp));
});

test("folders that cannot be made are a problem, not a crash", async (t) => {
	const { data_dir, volumes } = await setUp(t);
	await writeFile(join(data_dir, "volumes"), "a file is in the way");
	const refused = await volumes.open("notes", "", 1);
	assert.ok(!refused.ok);
	assert.match(refused.problem.message, /could not be made/);
});
