import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

/** Where it is missing there is nothing to look at. */
const skip = process.platform === "linux" ? false : "only Linux has priorities of threads";

/** The nice value of every thread of this process (proc_pid_stat(5), field 19). */
function niceValues(): number[] {
	return readdirSync("/proc/self/task").map((tid) => {
		const stat = readFileSync(`/proc/self/task/${tid}/stat`, "utf8");
		return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
	});
}

test("a thread that yields is the only one that others go before", { skip }, async (t) => {
	const module = new URL("./thread-priority.ts", import.meta.url).href;
	const program = `
		const { parentPort } = require("node:worker_threads");
		import(${JSON.stringify(module)}).then(({ yieldToOthers }) => {
			yieldToOthers(7);
			parentPort.postMessage("yields");
			parentPort.once("message", () => {});
		});`;
	const worker = new Worker(program, { eval: true });
	t.after(() => worker.terminate());
	await once(worker, "message");
	assert.equal(niceValues().filter((nice) => nice === 7).length, 1);
});
