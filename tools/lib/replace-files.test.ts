import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { replaceFiles } from "./replace-files.ts";

test("a folder that is made anew keeps the folders in it, and loses the files of before", (t) => {
	const folder = mkdtempSync(join(tmpdir(), "moorage-replace-"));
	t.after(() => rmSync(folder, { recursive: true }));
	mkdirSync(join(folder, "dashboard"));
	writeFileSync(join(folder, "dashboard", "index.html"), "a page");
	writeFileSync(join(folder, "main.js"), "old");
	writeFileSync(join(folder, "chunk-1.js"), "old");
	replaceFiles(
		folder,
		new Map([
			["main.js", "new"],
			["chunk-2.js", "new"],
		]),
	);
	assert.deepEqual(readdirSync(folder).sort(), ["chunk-2.js", "dashboard", "main.js"]);
	assert.equal(readFileSync(join(folder, "main.js"), "utf8"), "new");
	assert.equal(readFileSync(join(folder, "dashboard", "index.html"), "utf8"), "a page");
});

test("a folder that was not there is made", (t) => {
	const folder = mkdtempSync(join(tmpdir(), "moorage-replace-"));
	t.after(() => rmSync(folder, { recursive: true }));
	replaceFiles(join(folder, "a", "b"), new Map([["main.js", "new"]]));
	assert.deepEqual(readdirSync(join(folder, "a", "b")), ["main.js"]);
});
