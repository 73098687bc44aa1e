import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backlog } from "./backlog.ts";

const limits = { events: 4, bytes: 100 };

/** Whether the promise has resolved by now. */
async function resolved(promise: Promise<void> | undefined): Promise<boolean> {
	assert.ok(promise !== undefined);
	const open = Symbol();
	return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

test("a reader is behind from the limit of events or of bytes on", () => {
	const by_events = new Backlog(limits);
	for (let seq = 1; seq <= 3; seq += 1) by_events.added(1);
	assert.equal(by_events.caughtUp(), undefined);
	by_events.added(1);
	assert.ok(by_events.caughtUp() !== undefined);
	const by_bytes = new Backlog(limits);
	by_bytes.added(99);
	assert.equal(by_bytes.caughtUp(), undefined);
	by_bytes.added(1);
	assert.ok(by_bytes.caughtUp() !== undefined);
});

test("it has caught up when less than half of the limits is left, and may fall behind again", async () => {
	const backlog = new Backlog(limits);
	for (let seq = 1; seq <= 4; seq += 1) backlog.added(1);
	const first = backlog.caughtUp();
	backlog.delivered(1, 1);
	backlog.delivered(2, 1);
	assert.equal(await resolved(first), false);
	backlog.delivered(3, 1);
	assert.equal(await resolved(first), true);
	assert.equal(backlog.caughtUp(), undefined);
	for (let seq = 5; seq <= 7; seq += 1) backlog.added(1);
	assert.equal(await resolved(backlog.caughtUp()), false);
});

test("what is read a second time does not count twice", () => {
	const backlog = new Backlog(limits);
	for (let seq = 1; seq <= 4; seq += 1) backlog.added(1);
	for (let again = 0; again < 5; again += 1) backlog.delivered(1, 1);
	assert.ok(backlog.caughtUp() === undefined);
	backlog.added(1);
	assert.ok(backlog.caughtUp() !== undefined);
});

test("nobody waits for a stream that is over", async () => {
	const backlog = new Backlog(limits);
	backlog.added(1_000);
	const waiting = backlog.caughtUp();
	assert.equal(backlog.is_overrun, true);
	backlog.close();
	backlog.close();
	assert.equal(await resolved(waiting), true);
	assert.equal(backlog.caughtUp(), undefined);
});

test("whatever happens, it agrees with a count of what was recorded and not read", () => {
	const step = fc.record({ add: fc.boolean(), bytes: fc.nat({ max: 40 }) });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const backlog = new Backlog(limits);
			const unread: number[] = [];
			let seq = 0;
			let behind = false;
			for (const { add, bytes } of steps) {
				if (add) {
					unread.push(bytes);
					backlog.added(bytes);
				} else if (unread.length > 0) {
					seq += 1;
					backlog.delivered(seq, unread.shift() ?? 0);
				}
				const sum = unread.reduce((total, each) => total + each, 0);
				const reaches = (part: number) =>
					unread.length >= limits.events * part || sum >= limits.bytes * part;
				if (!reaches(0.5)) behind = false;
				if (reaches(1)) behind = true;
				assert.equal(backlog.caughtUp() !== undefined, behind);
				assert.equal(backlog.is_overrun, reaches(2));
			}
		}),
	);
});
