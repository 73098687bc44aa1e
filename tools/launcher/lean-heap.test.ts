import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { heapOptions } from "../../bin/launcher/lean-heap.mjs";
import { repository_root } from "../lib/paths.ts";

const commandLine = (...words: string[]) => ({
	argv: ["node", "bin/moorage", ...words],
	execArgv: [],
	env: {},
});

const wanted = [
	"--max-semi-space-size=16",
	"--min-semi-space-size=2",
	"--no-parallel-scavenge",
	"--no-allocation-site-pretenuring",
	"--heap-growing-percent=200",
	"--expose-gc",
];

test("the gateway is started with a small space for young objects, which all are young", () => {
	assert.deepEqual(heapOptions(commandLine("up")), wanted);
	assert.deepEqual(heapOptions(commandLine("--json", "up", "mcp.json")), wanted);
	assert.deepEqual(heapOptions(commandLine("start")), wanted);
});

test("other commands are started as they are", () => {
	assert.deepEqual(heapOptions(commandLine()), []);
	assert.deepEqual(heapOptions(commandLine("ls", "--json")), []);
	assert.deepEqual(heapOptions({ argv: ["up", "up"], execArgv: [], env: {} }), []);
});

test("what a person chose stays", () => {
	const chosen = "--max-semi-space-size=32";
	const other = wanted.slice(1);
	assert.deepEqual(heapOptions({ ...commandLine("up"), execArgv: [chosen] }), other);
	assert.deepEqual(heapOptions({ ...commandLine("up"), env: { NODE_OPTIONS: chosen } }), other);
	const execArgv = ["--allocation-site-pretenuring"];
	assert.deepEqual(heapOptions({ ...commandLine("up"), execArgv }), [
		...wanted.slice(0, 3),
		...wanted.slice(4),
	]);
});

test("a gateway that was started so is not started again", () => {
	assert.deepEqual(heapOptions({ ...commandLine("up"), execArgv: wanted }), []);
});

for (const file of ["deploy/systemd/moorage.service", "deploy/container/Dockerfile"]) {
	test(`${file} starts the gateway so that it is not started again`, () => {
		const text = readFileSync(join(repository_root, file), "utf8");
		const execArgv = text.match(/^(?:ExecStart|ENTRYPOINT).*$/m)?.[0].match(/--[a-z-]+(=\d+)?/g);
		assert.ok(execArgv);
		assert.deepEqual(heapOptions({ ...commandLine("up"), execArgv }), []);
	});
}
