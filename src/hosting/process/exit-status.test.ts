import assert from "node:assert/strict";
import { test } from "node:test";
import { exitStatus } from "./child.ts";

test("a shell's code is a signal where there is one of that number, and else a code", () => {
	// signal_max
	const linux = process.platform === "linux";
	for (const [code, status] of [
		[127, { code: 127, signal: null }],
		[128, { code: 128, signal: null }],
		[129, { code: null, signal: "SIGHUP" }],
		[137, { code: null, signal: "SIGKILL" }],
		[159, linux ? { code: null, signal: "SIGSYS" } : undefined],
		[160, { code: 160, signal: null }],
		[192, { code: 192, signal: null }],
		[193, { code: 193, signal: null }],
		[255, { code: 255, signal: null }],
	] as const) {
		if (status !== undefined) assert.deepEqual(exitStatus(code, null), status, String(code));
	}
	assert.deepEqual(exitStatus(null, "SIGTERM"), { code: null, signal: "SIGTERM" });
});
