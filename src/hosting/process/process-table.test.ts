import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { eventually } from "../../../test/support/processes.ts";
import { systemClock } from "../../lib/clock.ts";
import {
	childPidsSync,
	descendantPidsSync,
	isRunning,
	parsePsLine,
	parseStat,
	readRowSync,
	systemProcessTable,
	withDescendants,
} from "./process-table.ts";

const linux = process.platform === "linux";
const sources = linux ? (["proc", "ps"] as const) : (["ps"] as const);

for (const source of sources) {
	test(`the process itself is found through ${source}, with its parent`, async () => {
		const table = systemProcessTable(systemClock, source);
		const row = await table.row(process.pid);
		assert(row !== undefined);
		assert.equal(row.ppid, process.ppid);
		assert.equal(row.zombie, false);
		assert.equal((await table.rows()).find(({ pid }) => pid === process.pid)?.ppid, row.ppid);
		assert.equal(await isRunning(table, row), true);
		assert.equal(await isRunning(table, { ...row, start_time: "other" }), false);
	});

	test(`a process that has ended is not running any more, says ${source}`, async () => {
		const table = systemProcessTable(systemClock, source);
		const child = spawn("sleep", ["1000"], { stdio: "ignore" });
		const row = await table.row(child.pid ?? 0);
		assert(row !== undefined);
		assert.equal(row.ppid, process.pid);
		child.kill("SIGKILL");
		await once(child, "exit");
		assert.equal(await isRunning(table, row), false);
	});
}

test("a process is found by a mark in its environment, first entry or last", async (t) => {
	if (!linux) {
		t.skip("environments of other processes can be read on Linux only");
		return;
	}
	const table = systemProcessTable(systemClock);
	const value = `mark-${process.pid}`;
	for (const env of [
		{ MARK: value, PATH: "/bin:/usr/bin" },
		{ PATH: "/bin:/usr/bin", MARK: value },
	]) {
		const child = spawn("sleep", ["1000"], { stdio: "ignore", env });
		assert.deepEqual([...(await table.marked(`MARK=${value}`))], [child.pid]);
		assert.deepEqual([...(await table.marked(`ARK=${value}`))], []);
		child.kill("SIGKILL");
		await once(child, "exit");
		assert.deepEqual([...(await table.marked(`MARK=${value}`))], []);
	}
});

test("descendants are found, those of threads included", async (t) => {
	if (!linux) {
		t.skip("children are listed by the kernel on Linux only");
		return;
	}
	const nested = spawn("/bin/sh", ["-c", "sleep 1000 & echo up; wait"], {
		stdio: ["ignore", "pipe", "ignore"],
		detached: true,
	});
	await once(nested.stdout, "data");
	const below = descendantPidsSync(nested.pid ?? 0);
	assert.equal(below.length, 1);
	assert.deepEqual(
		new Set(descendantPidsSync(process.pid)).isSupersetOf(new Set([nested.pid, ...below])),
		true,
	);
	process.kill(-(nested.pid ?? 0), "SIGKILL");
	await once(nested, "exit");
	const worker = new Worker(
		`const child = require("node:child_process").spawn("sleep", ["1000"], { stdio: "ignore" });
		require("node:worker_threads").parentPort.postMessage(child.pid);`,
		{ eval: true },
	);
	const [of_thread] = (await once(worker, "message")) as [number];
	assert(childPidsSync(process.pid).includes(of_thread));
	process.kill(of_thread, "SIGKILL");
	await worker.terminate();
});

for (const source of sources) {
	test(`a process that a signal has stopped is seen as stopped through ${source}`, async () => {
		const table = systemProcessTable(systemClock, source);
		const child = spawn("sleep", ["1000"], { stdio: "ignore" });
		const pid = child.pid ?? 0;
		assert.equal((await table.row(pid))?.stopped, false);
		process.kill(pid, "SIGSTOP");
		await eventually(
			() => table.row(pid),
			(row) => row?.stopped === true,
		);
		process.kill(pid, "SIGCONT");
		await eventually(
			() => table.row(pid),
			(row) => row?.stopped === false,
		);
		child.kill("SIGKILL");
		await once(child, "exit");
	});
}

test("a row read at once is the row read with patience", async (t) => {
	if (!linux) {
		t.skip("reading at once is for Linux");
		return;
	}
	const row = await systemProcessTable(systemClock).row(process.pid);
	assert.deepEqual(readRowSync(process.pid), row);
	assert.equal(readRowSync(2 ** 30), undefined);
});

test("a program's name cannot disturb the fields behind it", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme", maxLength: 15 }), (name) => {
			const rest = `S 7 42 42 0 -1 4194560 ${"0 ".repeat(12)}9876 1000`;
			const row = parseStat(`1234 (${name}) ${rest}\n`);
			assert(row !== undefined);
			assert.deepEqual([row.pid, row.ppid, row.pgid, row.zombie], [1234, 7, 42, false]);
			assert.match(row.start_time, /\/9876$/u);
		}),
	);
});

test("text that is no process is no row", () => {
	for (const text of ["", "x", "12 (a) S", "abc (a) S 1 1 1"]) {
		assert.equal(parseStat(text), undefined, text);
	}
	for (const line of ["", "PID PPID", "  12 1 12 S"]) {
		assert.equal(parsePsLine(line), undefined, line);
	}
});

test("a line of ps is read with its start time as printed", () => {
	const line = " 4242    1  4242 Zs+  Fri Nov 21 03:14:15 2025 ";
	const start_time = "Fri Nov 21 03:14:15 2025";
	assert.deepEqual(parsePsLine(line), {
		pid: 4242,
		ppid: 1,
		pgid: 4242,
		start_time,
		zombie: true,
		stopped: false,
	});
});

test("descendants are all below the roots, and only those", () => {
	const parents = fc.array(fc.nat(30), { minLength: 1, maxLength: 31 });
	fc.assert(
		fc.property(parents, fc.nat(30), (ppids, root) => {
			// Any graph, loops included: the table is a snapshot of something that moves.
			const rows = ppids.map((ppid, pid) => row(pid, ppid));
			const found = withDescendants(rows, [root]);
			const isBelow = (pid: number): boolean => {
				const seen = new Set<number>();
				for (let at: number | undefined = pid; at !== undefined && !seen.has(at); ) {
					if (at === root) {
						return true;
					}
					seen.add(at);
					at = ppids[at];
				}
				return false;
			};
			for (const { pid } of rows) {
				const exists = root < rows.length || rows.some(({ ppid }) => ppid === root);
				assert.equal(found.has(pid), exists && root < rows.length && isBelow(pid));
			}
		}),
	);
});

function row(pid: number, ppid: number) {
	return { pid, ppid, pgid: pid, start_time: String(pid), zombie: false, stopped: false };
}
