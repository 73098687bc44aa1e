import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { Batcher, type BatcherOptions, type BatchTrouble } from "./batch.ts";

class PassingError extends Error {}

/** A batcher of numbers over a make-believe disk that fails as told. */
function setUp(options: Partial<BatcherOptions<number>> = {}) {
	const clock = new FakeClock();
	const commits: number[][] = [];
	const troubles: BatchTrouble[] = [];
	const disk = { busy: false, bad: new Set<number>() };
	const batcher = new Batcher<number>({
		clock,
		isPassing: (error) => error instanceof PassingError,
		onTrouble: (trouble) => troubles.push(trouble),
		async commit(items) {
			await Promise.resolve();
			if (disk.busy) throw new PassingError("busy");
			if (items.some((item) => disk.bad.has(item))) throw new Error("bad item");
			commits.push([...items]);
		},
		...options,
	});
	const kinds = () => troubles.map(({ kind, items }) => `${items} ${kind}`);
	return { clock, commits, troubles, disk, batcher, kinds };
}

describe("a batcher", () => {
	it("commits what was added within the delay at once, in order", async () => {
		const { batcher, clock, commits } = setUp();
		batcher.add(1);
		await clock.advance(4);
		batcher.add(2);
		assert.deepEqual(commits, []);
		assert.equal(batcher.waiting, 2);
		await clock.advance(1);
		assert.deepEqual(commits, [[1, 2]]);
		assert.equal(batcher.waiting, 0);
		assert.equal(clock.pending, 0);
	});

	it("commits long queues in several groups and lets others run in between", async () => {
		const { batcher, clock, commits } = setUp({ batch_items_max: 2 });
		for (const item of [1, 2, 3, 4, 5]) batcher.add(item);
		await clock.advance(5);
		assert.deepEqual(commits, [[1, 2], [3, 4], [5]]);
	});

	it("commits an item that was added while a commit ran", async () => {
		const { batcher, clock, commits } = setUp({ delay_ms: 0 });
		batcher.add(1);
		const advanced = clock.advance(0);
		batcher.add(2);
		await advanced;
		await clock.advance(5);
		assert.deepEqual(commits.flat(), [1, 2]);
	});

	it("flushes without waiting for the delay, however long the queue", async () => {
		const { batcher, clock, commits } = setUp({ batch_items_max: 2 });
		for (const item of [1, 2, 3]) batcher.add(item);
		await batcher.flush();
		assert.deepEqual(commits, [[1, 2], [3]]);
		assert.equal(clock.pending, 0);
		await batcher.flush();
	});

	it("answers every flush when several wait", async () => {
		const { batcher, commits } = setUp();
		batcher.add(1);
		const first = batcher.flush();
		batcher.add(2);
		const second = batcher.flush();
		await Promise.all([first, second]);
		assert.deepEqual(commits.flat(), [1, 2]);
	});

	it("tells who waits when an item is committed", async () => {
		const { batcher, clock, commits } = setUp();
		let told = false;
		const committed = batcher.addDurably(1).then((value) => {
			told = true;
			return value;
		});
		await settle();
		assert.equal(told, false);
		await clock.advance(5);
		assert.equal(await committed, true);
		assert.deepEqual(commits, [[1]]);
	});

	it("gives up only the item that can never be committed, and says so", async () => {
		const { batcher, clock, commits, disk, kinds } = setUp();
		disk.bad.add(2);
		const outcomes = Promise.all([1, 2, 3].map((item) => batcher.addDurably(item)));
		await clock.advance(5);
		assert.deepEqual(await outcomes, [true, false, true]);
		assert.deepEqual(commits, [[1], [3]]);
		assert.deepEqual(kinds(), ["1 failed"]);
		assert.equal(batcher.waiting, 0);
	});

	it("tries again, with longer and longer pauses, when the failure passes", async () => {
		const { batcher, clock, commits, disk, kinds } = setUp({ retry_ms: 100, retry_ms_max: 150 });
		disk.busy = true;
		batcher.add(1);
		await clock.advance(5);
		assert.deepEqual(kinds(), ["1 delayed"]);
		assert.equal(clock.next_due_ms, 105);
		await clock.advance(100);
		assert.equal(clock.next_due_ms, 255);
		disk.busy = false;
		batcher.add(2);
		await clock.advance(149);
		assert.deepEqual(commits, []);
		await clock.advance(1);
		assert.deepEqual(commits, [[1, 2]]);
		batcher.add(3);
		await clock.advance(5);
		assert.deepEqual(commits, [[1, 2], [3]]);
	});

	it("does not leave anyone waiting while the disk is busy, and still commits later", async () => {
		const { batcher, clock, commits, disk } = setUp();
		disk.busy = true;
		const durable = batcher.addDurably(1);
		await batcher.flush();
		assert.equal(batcher.waiting, 1);
		assert.equal(await durable, false);
		disk.busy = false;
		await clock.advance(100);
		assert.deepEqual(commits, [[1]]);
	});

	it("keeps the order when a busy disk interrupts one-by-one commits", async () => {
		const { batcher, clock, commits, disk, kinds } = setUp({
			async commit(items) {
				if (items.length > 1) throw new Error("bad item");
				if (disk.busy && items[0] === 2) throw new PassingError("busy");
				commits.push([...items]);
			},
		});
		disk.busy = true;
		for (const item of [1, 2, 3]) batcher.add(item);
		await clock.advance(5);
		assert.deepEqual(commits, [[1]]);
		disk.busy = false;
		await clock.advance(100);
		assert.deepEqual(commits, [[1], [2], [3]]);
		assert.deepEqual(kinds(), ["1 delayed"]);
	});

	it("refuses items beyond its bounds at once, and reports them together", async () => {
		const { batcher, clock, commits, kinds } = setUp({ queue_items_max: 3, queue_bytes_max: 10 });
		assert.equal(batcher.add(1, 6), true);
		assert.equal(batcher.add(2, 5), false);
		assert.equal(batcher.add(3, 4), true);
		assert.equal(batcher.add(4), true);
		assert.equal(await batcher.addDurably(5), false);
		assert.deepEqual(kinds(), []);
		await clock.advance(5);
		assert.deepEqual(kinds(), ["2 full"]);
		assert.deepEqual(commits, [[1, 3, 4]]);
		assert.equal(batcher.add(6, 10), true);
	});

	it("takes one item that alone is over the bound of bytes", async () => {
		const { batcher, clock, commits } = setUp({ queue_bytes_max: 10 });
		assert.equal(batcher.add(1, 11), true);
		assert.equal(batcher.add(2, 0), false);
		await clock.advance(5);
		assert.deepEqual(commits, [[1]]);
	});

	it("loses no item and keeps the order under any mix of adds, pauses and failures", async () => {
		const action = fc.oneof(
			{ weight: 5, arbitrary: fc.constant("add" as const) },
			fc.constantFrom("advance", "flush", "busy", "free", "bad" as const),
		);
		const property = fc.asyncProperty(
			fc.array(action, { maxLength: 60, size: "max" }),
			async (actions) => {
				const { batcher, clock, commits, disk } = setUp({ batch_items_max: 3 });
				const good: number[] = [];
				let next = 0;
				for (const one of actions) {
					if (one === "add") {
						batcher.add(next);
						good.push(next);
						next += 1;
					} else if (one === "bad") {
						disk.bad.add(next);
						batcher.add(next);
						next += 1;
					} else if (one === "busy" || one === "free") {
						disk.busy = one === "busy";
					} else if (one === "flush") {
						await batcher.flush();
						assert.ok(disk.busy || batcher.waiting === 0);
					} else {
						await clock.advance(7);
					}
				}
				disk.busy = false;
				await batcher.flush();
				assert.deepEqual(commits.flat(), good);
				assert.equal(batcher.waiting, 0);
			},
		);
		await fc.assert(property, { numRuns: 100 });
	});
});
