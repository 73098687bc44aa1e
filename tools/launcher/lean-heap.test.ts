import assert from "node:assert/strict";
import { test } from "node:test";
import { heapOptions } from "../../bin/launcher/lean-heap.mjs";

const commandLine = (...words: string[]) => ({
	argv: ["node", "bin/moorage", ...words],
	execArgv: [],
	env: {},
});

test("the gateway is started with a small space for young objects", () => {
	const wanted = ["--max-semi-space-size=4"];
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
	assert.deepEqual(heapOptions({ ...commandLine("up"), execArgv: [chosen] }), []);
	assert.deepEqual(heapOptions({ ...commandLine("up"), env: { NODE_OPTIONS: chosen } }), []);
});
