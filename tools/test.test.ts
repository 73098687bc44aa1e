import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { repository_root } from "./lib/paths.ts";
import { runProgram } from "./lib/run-program.ts";
import { tempTree } from "./lib/temp-tree.ts";

/** Runs tools/test.ts with a temporary folder of its own, and looks into that afterwards. */
async function runTests(t: Parameters<typeof tempTree>[0], filters: string[]) {
	const temp = tempTree(t);
	const environment = { ...process.env, TMPDIR: temp };
	const { code, output } = await runProgram(process.execPath, ["tools/test.ts", ...filters], {
		cwd: repository_root,
		environment,
	});
	return { code, output, last: output.trim().split("\n").at(-1), left: readdirSync(temp) };
}

test("a filter chooses files by a part of their path", async (t) => {
	const { code, last, output, left } = await runTests(t, ["lib/files.test", "lib/source.test"]);
	assert.match(output, /^unit tests: 2 files$/m);
	assert.match(last ?? "", /^[1-9]\d* passed, 0 failed$/);
	assert.equal(code, 0);
	assert.deepEqual(left, [], "nothing is left in the temporary folder");
});

test("a run that finds no test fails", async (t) => {
	const { code, last, output } = await runTests(t, ["no-file-has-this-in-its-path"]);
	assert.match(output, /No test ran, which counts as a failure/);
	assert.equal(last, "0 passed, 0 failed");
	assert.equal(code, 1);
});
