import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSource } from "../lib/source.ts";
import { checkGlobals } from "./globals.ts";
import { source_rules, test_rules } from "./rules.ts";

function check(text: string, file = "src/gateway/a.ts"): string[] {
	const found = checkGlobals(parseSource(file, text), source_rules);
	return found.map(({ line, message }) => `${line} ${message.split(" is not used")[0]}`);
}

test("every name that reaches for the machine is found", () => {
	const uses: [string, string][] = [
		["console.log(1)", "console"],
		["process.env.HOME", "process.env"],
		['process["env"]', "process.env"],
		["const { env } = process", "process.env"],
		["Date.now()", "Date.now"],
		["new Date()", "new Date()"],
		["performance.now()", "performance.now"],
		["setTimeout(f, 1)", "setTimeout"],
		["const later = setTimeout", "setTimeout"],
		["run(setImmediate)", "setImmediate"],
		["globalThis.setInterval(f, 1)", "setInterval"],
		["AbortSignal.timeout(5)", "AbortSignal.timeout"],
		["Math.random()", "Math.random"],
		['import { spawn } from "node:child_process"; spawn()', "node:child_process"],
		['import { spawn } from "child_process"; spawn()', "node:child_process"],
		['await import("node:child_process")', "node:child_process"],
		['import { setTimeout as sleep } from "node:timers/promises"; sleep()', "node:timers/promises"],
		['import { performance } from "node:perf_hooks"; performance.now()', "node:perf_hooks"],
	];
	for (const [text, name] of uses) assert.deepEqual(check(`\n${text};`), [`2 ${name}`], text);
});

test("what only looks like it is left alone", () => {
	for (const text of [
		"clock.setTimeout(f)",
		"const options = { setTimeout: 1, console: 2 }",
		"new Date(clock.now()).toISOString()",
		"// console.log(Date.now())",
		'const text = "process.env"',
		"function f(console: Log) { console.info() }",
		'import { console } from "./console.ts"; console.log()',
		"process.exitCode = 1",
		"Math.floor(1)",
		'import type { ChildProcess } from "node:child_process"; export type A = ChildProcess',
		"interface Timer { setTimeout(): void; performance: number }",
		"class A { setTimeout() {} }",
		"type B = typeof A.prototype",
	]) {
		assert.deepEqual(check(text), [], text);
	}
});

test("the files that are named may", () => {
	assert.deepEqual(check("setTimeout(f, Date.now())", "src/lib/clock.ts"), []);
	assert.deepEqual(check("process.env", "src/lib/environment.ts"), []);
	const spawning = 'import { spawn } from "node:child_process"; spawn()';
	assert.deepEqual(check(spawning, "src/hosting/process/spawner.ts"), []);
	assert.deepEqual(check(spawning, "src/hosting/packages/run-program.ts"), []);
	assert.equal(check(spawning, "src/hosting/packages/resolve.ts").length, 1);
	assert.equal(check("process.env", "src/lib/clock.ts").length, 1);
});

test("tests may not sleep, nor be different in every run", () => {
	const found = (text: string, file: string) =>
		checkGlobals(parseSource(file, text), test_rules).length;
	const sleeping = 'import { setTimeout } from "node:timers/promises"; setTimeout(1)';
	assert.equal(found(sleeping, "src/lib/a.test.ts"), 1);
	assert.equal(found(sleeping, "test/servers/slow.mjs"), 0);
	assert.equal(found("Math.random()", "src/lib/a.test.ts"), 1);
	assert.equal(
		found('import { spawn } from "node:child_process"; spawn()', "test/e2e/a.test.ts"),
		0,
	);
});
