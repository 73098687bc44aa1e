import assert from "node:assert/strict";
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { fileState, replaceFile } from "./replace-file.ts";

test("the text is replaced, the mode is kept, and nothing else is left in the folder", async (context) => {
	const folder = await tempFolder(context, { f: "old" });
	const path = join(folder, "f");
	await chmod(path, 0o600);
	assert.equal(await replaceFile(path, "new", await fileState(path)), true);
	assert.equal(await readFile(path, "utf8"), "new");
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	assert.deepEqual(await readdir(folder), ["f"]);
});

test("a link stays a link, and the file behind it is replaced", async (context) => {
	const folder = await tempFolder(context, { "real/f": "old" });
	const link = join(folder, "link");
	await symlink("real/f", link);
	assert.equal(await replaceFile(link, "new", await fileState(link)), true);
	assert.ok((await lstat(link)).isSymbolicLink());
	assert.equal(await readFile(join(folder, "real/f"), "utf8"), "new");
});

test("a file that is new is made", async (context) => {
	const folder = await tempFolder(context);
	const path = join(folder, "f");
	assert.equal(await fileState(path), undefined);
	assert.equal(await replaceFile(path, "new", undefined), true);
	assert.equal(await readFile(path, "utf8"), "new");
});

test("a file that changed meanwhile, or appeared, is left alone", async (context) => {
	const folder = await tempFolder(context, { f: "old" });
	const path = join(folder, "f");
	const before = await fileState(path);
	await writeFile(path, "somebody else's");
	assert.equal(await replaceFile(path, "new", before), false);
	assert.equal(await replaceFile(path, "new", undefined), false);
	assert.equal(await readFile(path, "utf8"), "somebody else's");
	assert.deepEqual(await readdir(folder), ["f"]);
});
