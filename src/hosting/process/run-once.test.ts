import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../lib/clock.ts";
import { runOnce } from "./run-once.ts";

const env = { PATH: "/usr/bin:/bin" };

test("a short program's output and exit code come back", async () => {
	const outcome = await runOnce(systemClock, {
		program: "/bin/sh",
		args: ["-c", 'echo "$GREETING"; pwd; echo oops >&2; exit 3'],
		env: { ...env, GREETING: "hello" },
		cwd: "/",
		deadline_ms: 10_000,
	});
	assert.deepEqual(outcome, {
		code: 3,
		stdout: "hello\n/\n",
		stderr: "oops\n",
		error: undefined,
		timed_out: false,
	});
});

test("a program that is not there, or cannot be asked for, is an outcome", async () => {
	const request = { args: [], env, deadline_ms: 10_000 };
	const missing = await runOnce(systemClock, { ...request, program: "/no/such/program" });
	assert.equal(missing.error, "ENOENT");
	assert.equal(missing.code, null);
	const invalid = await runOnce(systemClock, { ...request, program: "a\0b" });
	assert.equal(invalid.error, "ERR_INVALID_ARG_VALUE");
});

test("a program that does not end is ended, even when another holds its output", async () => {
	const outcome = await runOnce(systemClock, {
		program: "/bin/sh",
		args: ["-c", "echo started; sleep 3 & exec sleep 1000"],
		env,
		deadline_ms: 100,
	});
	assert.equal(outcome.timed_out, true);
	assert.equal(outcome.code, null);
});

test("as much output is kept as a probe can have, and of more the rest is cut off", async () => {
	// output_bytes_max
	const most = 4 * 1024 ** 2;
	for (const [bytes, kept] of [
		[most - 1, most - 1],
		[most, most],
		[most + 1, most],
		[most + 200_000, most],
	] as const) {
		const outcome = await runOnce(systemClock, {
			program: "/bin/sh",
			args: ["-c", `head -c ${bytes} /dev/zero; exit 3`],
			env,
			deadline_ms: 60_000,
		});
		assert.equal(outcome.stdout.length, kept, String(bytes));
		assert.equal(outcome.code, 3, "it is not stopped for it");
	}
});
