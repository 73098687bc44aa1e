import assert from "node:assert/strict";
import { test } from "node:test";
import { exitOf } from "./exit-code.ts";

test("a code is a code, and one above 128 names the signal", () => {
	assert.deepEqual(exitOf(0), { code: 0, signal: null });
	assert.deepEqual(exitOf(7), { code: 7, signal: null });
	assert.deepEqual(exitOf(128), { code: 128, signal: null });
	assert.deepEqual(exitOf(137), { code: null, signal: "SIGKILL" });
	assert.deepEqual(exitOf(143), { code: null, signal: "SIGTERM" });
	assert.deepEqual(exitOf(255), { code: 255, signal: null });
});
