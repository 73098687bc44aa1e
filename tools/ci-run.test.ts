import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { repository_root } from "./lib/paths.ts";
import { runProgram } from "./lib/run-program.ts";
import { tempTree } from "./lib/temp-tree.ts";

/** Runs .ci/run in a project whose npm scripts do what `parts` say. */
async function run(t: TestContext, parts: Record<string, string>) {
	const cases = Object.entries(parts).map(([name, script]) => `"${name}") ${script} ;;`);
	const root = tempTree(t, {
		"package.json": JSON.stringify({ scripts: parts }, undefined, "\t"),
		"path/npm": [
			"#!/bin/sh",
			'echo "$*" >> "$(dirname "$0")/calls"',
			`case "$3" in ${cases.join("\n")} esac`,
		].join("\n"),
		// A test installs nothing on the machine it runs on.
		"path/apt-get": "#!/bin/sh\nexit 1\n",
		"path/sudo": "#!/bin/sh\nexit 1\n",
	});
	for (const name of ["npm", "apt-get", "sudo"]) chmodSync(join(root, "path", name), 0o755);
	mkdirSync(join(root, ".ci"));
	cpSync(join(repository_root, ".ci", "run"), join(root, ".ci", "run"));
	const environment = {
		...process.env,
		PATH: [join(root, "path"), process.env["PATH"]].join(delimiter),
	};
	const { code, output } = await runProgram("bash", [join(root, ".ci", "run")], {
		cwd: tempTree(t),
		environment,
	});
	const calls = readFileSync(join(root, "path", "calls"), "utf8")
		.trim()
		.split("\n");
	return { code, last: output.trim().split("\n").at(-1), calls, output };
}

test("the last line sums the closing lines of all parts", async (t) => {
	const { code, last, calls } = await run(t, {
		test: `printf '1 passed, 9 failed\\nnot this\\n10 passed, 0 failed, 2 skipped\\n'`,
		check: `echo '8 passed, 0 failed'`,
		conformance: `echo '5 passed, 0 failed'`,
	});
	assert.equal(last, "23 passed, 0 failed, 2 skipped");
	assert.equal(code, 0);
	assert.deepEqual(
		calls.map((call) => call.split(" ").at(-1)),
		["test", "check", "conformance"],
	);
});

test("a part that fails fails the run, which goes on", async (t) => {
	const { code, last } = await run(t, {
		test: `echo '10 passed, 2 failed'; exit 1`,
		check: `echo '8 passed, 0 failed'`,
	});
	assert.equal(last, "18 passed, 2 failed");
	assert.equal(code, 1);
});

test("a part that breaks without a closing line counts as a failure", async (t) => {
	const { code, last } = await run(t, {
		test: `echo 'cannot start'; exit 3`,
		check: `echo '8 passed, 0 failed'; exit 1`,
	});
	assert.equal(last, "8 passed, 2 failed");
	assert.equal(code, 1);
});

test("a part that runs nothing counts as a failure", async (t) => {
	const { code, last, output } = await run(t, {
		test: `echo '0 passed, 0 failed'`,
		check: `true`,
	});
	assert.equal(last, "0 passed, 2 failed");
	assert.match(output, /npm run check ran nothing/);
	assert.equal(code, 1);
});
