import assert from "node:assert/strict";
import { test } from "node:test";
import {
	cpuOf,
	mainThreadCpuOf,
	parseCpu,
	parseResident,
	parseSchedule,
	residentOf,
} from "./process-stat.ts";

const stat = (name: string) =>
	`4711 (${name}) S 1 4711 4711 0 -1 4194304 900 0 0 0 125 75 9 9 20 0 11 0 100 1 2 3`;

test("CPU time is user and system time of the process itself, in ticks of 10 ms", () => {
	assert.equal(parseCpu(stat("node")), 2000);
});

test("a program's name may hold anything", () => {
	for (const name of ["a b", "a) S 1 (b", ")", "((", ""]) {
		assert.equal(parseCpu(stat(name)), 2000, name);
	}
});

test("text of another form has no CPU time and no memory", () => {
	assert.equal(parseCpu(""), undefined);
	assert.equal(parseCpu("1 (x) S 1 2 3"), undefined);
	assert.equal(parseResident("Name: x\nVmSize: 5 kB\n"), undefined);
});

test("resident memory is in MiB", () => {
	assert.equal(parseResident("VmHWM:\t 9 kB\nVmRSS:\t  2048 kB\nRssAnon:\t 1 kB\n"), 2);
});

test("time on a processor is in nanoseconds", () => {
	assert.equal(parseSchedule("2500000 77 3\n"), 2.5);
	assert.equal(parseSchedule("2500000"), undefined);
});

test("the first thread of this process has had some of its time", (t) => {
	const main_ms = mainThreadCpuOf(process.pid);
	if (main_ms === undefined) return t.skip("this system does not tell it");
	assert.ok(main_ms > 0);
	assert.equal(mainThreadCpuOf(2 ** 22 + 1), undefined);
});

test("the system tells both of this process, and nothing of one that is not there", (t) => {
	if (process.platform !== "linux") return t.skip("only Linux has /proc");
	const cpu_ms = cpuOf(process.pid);
	assert.ok(cpu_ms !== undefined && cpu_ms > 0);
	const rss_mb = residentOf(process.pid);
	assert.ok(rss_mb !== undefined && rss_mb > 10 && rss_mb < 4096);
	assert.equal(cpuOf(2 ** 22 + 1), undefined);
	assert.equal(residentOf(2 ** 22 + 1), undefined);
});
