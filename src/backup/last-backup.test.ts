import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { lastBackup, noteBackup } from "./last-backup.ts";

test("the last of several backups is remembered, and nothing else is left", async (t) => {
	const data = await tempFolder(t);
	assert.equal(await lastBackup(data), undefined);
	await noteBackup(data, { made_at_ms: 1, path: "/backups/monday", bytes: 10 });
	const tuesday = { made_at_ms: 2, path: "/backups/tuesday", bytes: 20 };
	await noteBackup(data, tuesday);
	assert.deepEqual(await lastBackup(data), tuesday);
	assert.deepEqual(await readdir(data), ["last-backup.json"]);
});

test("what says nothing of a backup counts as none", async (t) => {
	const data = await tempFolder(t);
	for (const text of ["", "{", "[]", '{"made_at_ms":"today","path":"/b","bytes":1}']) {
		await writeFile(join(data, "last-backup.json"), text);
		assert.equal(await lastBackup(data), undefined, text);
	}
});

test("a folder that cannot be written to does not fail the backup", async (t) => {
	const data = await tempFolder(t);
	await noteBackup(join(data, "missing"), { made_at_ms: 1, path: "/b", bytes: 1 });
	assert.deepEqual(await readdir(data), []);
});
