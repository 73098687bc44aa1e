import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedWork } from "./shared-work.ts";
import { Slots } from "./slots.ts";

function member(signal?: AbortSignal) {
	const lines: string[] = [];
	return { lines, signal, progress: (line: string) => lines.push(line) };
}

test("work asked for by many is done once, and all hear of its progress", async () => {
	const work = new SharedWork<number>();
	const hold = Promise.withResolvers<void>();
	let times = 0;
	const run = async (_signal: AbortSignal, progress: (line: string) => void) => {
		times += 1;
		progress("begun");
		await hold.promise;
		progress("done");
		return times;
	};
	const early = member();
	const first = work.join("a", early, run);
	await Promise.resolve();
	const late = member();
	const second = work.join("a", late, run);
	hold.resolve();
	assert.deepEqual(await Promise.all([first, second]), [1, 1]);
	assert.deepEqual(early.lines, ["begun", "done"]);
	assert.deepEqual(late.lines, ["begun", "done"]);
	assert.equal(await work.join("a", member(), run), 2);
});

test("work is aborted when the last who wanted it is gone, and can be begun anew", async () => {
	const work = new SharedWork<string>();
	const aborted = Promise.withResolvers<string>();
	const run = (signal: AbortSignal) => {
		signal.addEventListener("abort", () => aborted.resolve("aborted"));
		return aborted.promise;
	};
	const one = new AbortController();
	const two = new AbortController();
	const first = work.join("a", member(one.signal), run);
	const second = work.join("a", member(two.signal), run);
	await Promise.resolve();
	one.abort();
	assert.equal(await Promise.race([first, Promise.resolve("under way")]), "under way");
	two.abort();
	const third = work.join("a", member(), async () => "anew");
	assert.deepEqual(await Promise.all([first, second, third]), ["aborted", "aborted", "anew"]);
});

test("who comes with an aborted signal begins nothing that lasts", async () => {
	const work = new SharedWork<boolean>();
	const outcome = await work.join(
		"a",
		member(AbortSignal.abort()),
		async (signal) => signal.aborted,
	);
	assert.equal(outcome, true);
});

test("a defect in the work reaches all, and the next one starts afresh", async () => {
	const work = new SharedWork<string>();
	const broken = () => Promise.reject(new Error("broken"));
	const both = [work.join("a", member(), broken), work.join("a", member(), broken)];
	for (const outcome of await Promise.allSettled(both)) {
		assert.equal(outcome.status, "rejected");
	}
	assert.equal(await work.join("a", member(), async () => "fine"), "fine");
});

test("no more than the given number work at once, in the order they came", async () => {
	const slots = new Slots(2);
	const order: string[] = [];
	const holds = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
	const all = holds.map((hold, index) =>
		slots.use(async () => {
			order.push(`begin ${index}`);
			await hold.promise;
			order.push(`end ${index}`);
			if (index === 2) {
				throw new Error("one fails");
			}
		}),
	);
	const settled = Promise.allSettled(all);
	assert.equal(slots.full, true);
	assert.equal(slots.waiting, 3);
	for (const index of [1, 0, 2, 3, 4]) {
		holds[index]?.resolve();
		await all[index]?.catch(() => {});
	}
	await settled;
	assert.deepEqual(order, [
		"begin 0",
		"begin 1",
		"end 1",
		"begin 2",
		"end 0",
		"begin 3",
		"end 2",
		"begin 4",
		"end 3",
		"end 4",
	]);
	assert.equal(slots.full, false);
});
