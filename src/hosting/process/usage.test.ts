import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import fc from "fast-check";
import { parseCpuTicks, parsePrivateMemory, processUsage, taskCount } from "./usage.ts";

const no_proc = process.platform === "linux" ? false : "processes are measured on Linux only";
const nobody = 2 ** 30;

test("processor time is the sum of four fields, whatever the program is called", () => {
	fc.assert(
		fc.property(
			fc.string({ maxLength: 15 }),
			fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
			(name, ticks) => {
				const stat = `7 (${name}) S 1 7 7 0 -1 0 9 9 9 9 ${ticks.join(" ")} 20 0 11 0 5`;
				assert.equal(
					parseCpuTicks(stat),
					ticks.reduce((sum, one) => sum + one, 0),
				);
			},
		),
	);
	for (const text of ["", "7 (a) S", "7 (a) S 1 7 7 0 -1 0 9 9 9 9 a b c d"]) {
		assert.equal(parseCpuTicks(text), 0, text);
	}
});

test("private memory leaves out what files back", () => {
	const status =
		"Name:\tnode\nVmRSS:\t  900 kB\nRssAnon:\t  500 kB\nRssFile:\t  300 kB\nRssShmem:\t  100 kB\n";
	assert.equal(parsePrivateMemory(status), 600 * 1024);
	assert.equal(parsePrivateMemory(""), 0);
	assert.equal(parsePrivateMemory("RssAnon: many kB\n"), 0);
});

test("a process that runs uses something, and one that does not exist nothing", {
	skip: no_proc,
}, () => {
	const own = processUsage([process.pid]);
	assert.equal(own.processes, 1);
	assert(own.memory_bytes > 1024 ** 2 && own.cpu_ms > 0);
	assert.deepEqual(processUsage([nobody]), { memory_bytes: 0, cpu_ms: 0, processes: 0 });
	const both = processUsage([process.pid, nobody]);
	assert.equal(both.processes, 1);
	assert(both.cpu_ms >= own.cpu_ms);
});

test("threads count as much as processes", { skip: no_proc }, async () => {
	const child = spawn("sleep", ["1000"], { stdio: "ignore" });
	assert.equal(taskCount([child.pid ?? 0]), 1);
	assert(taskCount([process.pid, child.pid ?? 0]) > 5);
	assert.equal(taskCount([nobody]), 0);
	child.kill("SIGKILL");
	await once(child, "exit");
});
