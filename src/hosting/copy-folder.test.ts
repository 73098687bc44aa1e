import assert from "node:assert/strict";
import {
	chmod,
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	readlink,
	rm,
	symlink,
	utimes,
	writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { copyFolder } from "./copy-folder.ts";

async function setUp(context: TestContext): Promise<{ from: string; to: string }> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-copy-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	const [from, to] = [join(folder, "from"), join(folder, "to")];
	await mkdir(from);
	return { from, to };
}

test("every file is copied once, however many there are, and may be changed alone", async (context) => {
	const { from, to } = await setUp(context);
	const names = Array.from({ length: 100 }, (_, index) => `file-${index}`);
	for (const name of names) await writeFile(join(from, name), `said by ${name}`);
	await copyFolder(from, to);
	assert.deepEqual((await readdir(to)).toSorted(), names.toSorted());
	for (const name of names) {
		assert.equal(await readFile(join(to, name), "utf8"), `said by ${name}`);
	}
	await writeFile(join(to, "file-0"), "changed");
	assert.equal(await readFile(join(from, "file-0"), "utf8"), "said by file-0");
});

test("modes and times stay, also of a folder that cannot be written to", async (context) => {
	const { from, to } = await setUp(context);
	const [shut, file] = [join(from, "shut"), join(from, "shut", "tool")];
	await mkdir(shut);
	await writeFile(file, "#!/bin/sh\n", { mode: 0o755 });
	await utimes(file, 1_000_000_000, 1_100_000_000);
	await chmod(file, 0o4550);
	await chmod(shut, 0o500);
	await copyFolder(from, to);
	const copied = join(to, "shut");
	const found = await Promise.all([lstat(copied), lstat(join(copied, "tool"))]);
	// Whoever is not root could not remove them otherwise.
	await Promise.all([chmod(shut, 0o700), chmod(copied, 0o700)]);
	const [folder_stat, file_stat] = found;
	assert.equal(folder_stat.mode & 0o777, 0o500);
	assert.equal(file_stat.mode & 0o777, 0o550);
	assert.equal(file_stat.mtimeMs, 1_100_000_000_000);
});

test("links are copied as they are written, and never followed", async (context) => {
	const { from, to } = await setUp(context);
	await symlink("beside", join(from, "relative"));
	await symlink("/etc/hostname", join(from, "absolute"));
	await copyFolder(from, to);
	assert.equal(await readlink(join(to, "relative")), "beside");
	assert.equal(await readlink(join(to, "absolute")), "/etc/hostname");
});

test("a socket is left out, and all else is there", async (context) => {
	const { from, to } = await setUp(context);
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(join(from, "a.sock"), resolve));
	await writeFile(join(from, "a.txt"), "a");
	await copyFolder(from, to);
	server.close();
	assert.deepEqual(await readdir(to), ["a.txt"]);
});

test("what cannot be copied is told", async (context) => {
	const { from, to } = await setUp(context);
	await assert.rejects(copyFolder(join(from, "missing"), to), { code: "ENOENT" });
	await mkdir(join(from, "folder"));
	await mkdir(to);
	await writeFile(join(to, "folder"), "in the way");
	await assert.rejects(copyFolder(from, to), { code: "EEXIST" });
});
