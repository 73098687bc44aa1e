import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listFiles } from "./files.ts";
import { tempTree } from "./temp-tree.ts";

test("files written by hand are listed, in order, and nothing else", (t) => {
	const root = tempTree(t, {
		"src/b.ts": "",
		"src/a/c.ts": "",
		"README.md": "",
		".gitignore": "",
		".ci/run": "",
		".git/HEAD": "",
		".tools/node/bin": "",
		"node_modules/x/index.js": "",
		"test/node_modules/y/index.js": "",
		"dist/main.js": "",
	});
	symlinkSync(root, join(root, "src", "loop"));
	assert.deepEqual(listFiles(root), [
		".ci/run",
		".gitignore",
		"README.md",
		"src/a/c.ts",
		"src/b.ts",
	]);
});

test("the .git file of a second working tree is not ours", (t) => {
	assert.deepEqual(listFiles(tempTree(t, { ".git": "gitdir: elsewhere", "a.ts": "" })), ["a.ts"]);
});
