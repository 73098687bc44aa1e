import assert from "node:assert/strict";
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { type ClientFile, readClientFile, writeClientFile } from "./config-file.ts";

const now_ms = Date.UTC(2026, 10, 21, 3, 4, 5);

async function read(path: string): Promise<ClientFile> {
	const file = await readClientFile(path);
	assert.ok(file.ok, JSON.stringify(file));
	return file.value;
}

async function write(file: ClientFile, text: string, unique = "u"): Promise<string | undefined> {
	const written = await writeClientFile(file, text, { now_ms, unique });
	assert.ok(written.ok, JSON.stringify(written));
	return written.value;
}

async function withFile(context: TestContext, content: string | Buffer): Promise<string> {
	const folder = await tempFolder(context, { "mcp.json": content });
	return join(folder, "mcp.json");
}

test("the old file is kept beside the new one, under a name with the time", async (context) => {
	const path = await withFile(context, "old");
	const backup = await write(await read(path), "new");
	assert.equal(backup, `${path}.moorage-backup-20261121T030405Z`);
	assert.equal(await readFile(backup, "utf8"), "old");
	assert.equal(await readFile(path, "utf8"), "new");
});

test("backups of the same second do not overwrite each other", async (context) => {
	const path = await withFile(context, "one");
	const first = await write(await read(path), "two");
	const second = await write(await read(path), "three");
	assert.notEqual(first, second);
	assert.equal(await readFile(first as string, "utf8"), "one");
	assert.equal(await readFile(second as string, "utf8"), "two");
});

test("a file that was not there is made for its owner only, with its folder", async (context) => {
	const folder = await tempFolder(context);
	const path = join(folder, "a", "b", "mcp.json");
	const file = await read(path);
	assert.equal(file.exists, false);
	assert.equal(await write(file, "new"), undefined);
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	assert.deepEqual(await readdir(join(folder, "a", "b")), ["mcp.json"]);
});

test("the mode of the file stays as it is, in the backup too", async (context) => {
	const path = await withFile(context, "old");
	await chmod(path, 0o664);
	const backup = await write(await read(path), "new");
	assert.equal((await stat(path)).mode & 0o777, 0o664);
	assert.equal((await stat(backup as string)).mode & 0o777, 0o664);
});

test("a symbolic link stays one, and what it points to is written", async (context) => {
	const path = await withFile(context, "old");
	const link = `${path}.link`;
	await symlink(path, link);
	const file = await read(link);
	assert.equal(file.path, path);
	await write(file, "new");
	assert.ok((await lstat(link)).isSymbolicLink());
	assert.equal(await readFile(path, "utf8"), "new");
});

test("a byte order mark is neither read as text nor lost", async (context) => {
	const path = await withFile(context, "\ufeff{}");
	const file = await read(path);
	assert.equal(file.text, "{}");
	await write(file, '{"a":1}');
	assert.equal(await readFile(path, "utf8"), '\ufeff{"a":1}');
});

test("a change of another program is not overwritten, and no draft is left", async (context) => {
	const path = await withFile(context, "old");
	const file = await read(path);
	await writeFile(path, "by another program");
	const written = await writeClientFile(file, "new", { now_ms, unique: "u" });
	assert.ok(!written.ok);
	assert.match(written.problem, /changed by another program/);
	assert.equal(await readFile(path, "utf8"), "by another program");
	const left = (await readdir(join(path, ".."))).filter((name) => name.endsWith(".tmp"));
	assert.deepEqual(left, []);
});

test("a file that another program has made meanwhile is not overwritten", async (context) => {
	const folder = await tempFolder(context);
	const path = join(folder, "mcp.json");
	const file = await read(path);
	await writeFile(path, "by another program");
	const written = await writeClientFile(file, "new", { now_ms, unique: "u" });
	assert.ok(!written.ok);
	assert.equal(await readFile(path, "utf8"), "by another program");
});

test("what is not UTF-8 or not a file is a problem in words", async (context) => {
	const path = await withFile(context, Buffer.from([0x7b, 0xff, 0x7d]));
	const binary = await readClientFile(path);
	assert.ok(!binary.ok);
	assert.match(binary.problem, /is not UTF-8 text/);
	const folder = await readClientFile(join(path, ".."));
	assert.ok(!folder.ok);
	assert.match(folder.problem, /cannot be read/);
});

test("a folder that cannot be written is a problem in words", async (context) => {
	const path = await withFile(context, "a file");
	const outcome = await readClientFile(join(path, "below", "mcp.json"));
	const written = outcome.ok
		? await writeClientFile(outcome.value, "new", { now_ms, unique: "u" })
		: outcome;
	assert.ok(!written.ok);
	assert.match(written.problem, /cannot be (written|read)/);
});
