import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { FakeClock, settle } from "../../../test/support/fake-clock.ts";
import type { ChildHandle, GoneReason } from "../driver.ts";
import { Lifetime } from "./lifetime.ts";

/** A child whose end a test decides on. */
function setUp() {
	const clock = new FakeClock();
	const exit = Promise.withResolvers<{ code: number | null; signal: string | null }>();
	const stopped: number[] = [];
	const child: ChildHandle = {
		pid: 1,
		stdin: new PassThrough(),
		stdout: new PassThrough(),
		stderr: new PassThrough(),
		exited: exit.promise,
		stop: async (grace_ms) => {
			stopped.push(grace_ms);
		},
		kill: () => {},
	};
	const ends: GoneReason[] = [];
	const lifetime = new Lifetime(child, { clock, stop_ms: 7, onOver: (end) => ends.push(end) });
	const stdout = child.stdout as PassThrough;
	const endStdout = async () => {
		stdout.end();
		stdout.resume();
		await settle();
	};
	const exitWith = async (code: number | null, signal: string | null = null) => {
		exit.resolve({ code, signal });
		await settle();
	};
	return { clock, child, stopped, ends, lifetime, endStdout, exitWith };
}

test("the end is the exit and the end of its output, in this order", async () => {
	const { ends, exitWith, endStdout } = setUp();
	await exitWith(3);
	assert.deepEqual(ends, []);
	await endStdout();
	assert.deepEqual(ends, [{ message: "exited with code 3", exit_code: 3, signal: null }]);
});

test("or in the other order", async () => {
	const { clock, ends, exitWith, endStdout } = setUp();
	await endStdout();
	await exitWith(null, "SIGSEGV");
	await clock.advance(10_000);
	const expected = { message: "was killed by SIGSEGV", exit_code: null, signal: "SIGSEGV" };
	assert.deepEqual(ends, [expected]);
});

test("a grandchild that holds the output does not keep a dead program alive", async () => {
	const { clock, ends, exitWith } = setUp();
	await exitWith(0);
	await clock.advance(999);
	assert.equal(ends.length, 0);
	await clock.advance(1);
	assert.deepEqual(ends, [{ message: "exited with code 0", exit_code: 0, signal: null }]);
});

test("a program that closes its output and lives on is stopped and over", async () => {
	const { clock, ends, stopped, lifetime, endStdout } = setUp();
	await endStdout();
	assert.deepEqual(stopped, [7]);
	assert.equal(lifetime.is_ending, false);
	await clock.advance(1_000);
	assert.equal(ends[0]?.message, "closed its standard output");
	assert.equal(lifetime.is_ending, true);
});

test("a program that closes its input is stopped, and its exit is the reason told", async () => {
	const { ends, stopped, child, exitWith, endStdout } = setUp();
	(child.stdin as PassThrough).destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
	await settle();
	assert.deepEqual(stopped, [7]);
	await exitWith(1);
	await endStdout();
	assert.equal(ends[0]?.message, "exited with code 1");
});

test("an end that was asked for is told as such, once", async () => {
	const { clock, ends, stopped, lifetime, exitWith, endStdout } = setUp();
	const closing = [lifetime.close(), lifetime.close()];
	assert.equal(lifetime.is_closing, true);
	await exitWith(0);
	await endStdout();
	await Promise.all(closing);
	await clock.advance(10_000);
	assert.deepEqual(stopped, [7]);
	assert.deepEqual(
		ends.map(({ message }) => message),
		["was stopped"],
	);
});

test("errors of its streams hurt nobody", async () => {
	const { child } = setUp();
	(child.stdout as PassThrough).destroy(new Error("read ECONNRESET"));
	(child.stderr as PassThrough).destroy(new Error("read ECONNRESET"));
	await settle();
});
