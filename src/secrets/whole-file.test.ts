import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { createWhole } from "./whole-file.ts";

test("a file is on the disk with its name before anybody goes on", async (t) => {
	const folder = await tempFolder(t);
	const path = join(folder, "key");
	const synced: string[][] = [];
	const sync = async (of: string) => void synced.push([of, ...(await readdir(of))]);
	await createWhole(path, `${path}.new`, "the key", sync);
	assert.deepEqual(synced, [[folder, "key"]], "once, with all that is done");
	await createWhole(path, `${path}.new`, "another key");
	assert.equal(await readFile(path, "utf8"), "the key");
	assert.deepEqual(await readdir(folder), ["key"]);
});
