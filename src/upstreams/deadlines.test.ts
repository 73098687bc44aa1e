import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { type Awaited, Deadlines } from "./deadlines.ts";

interface Item extends Awaited {
	readonly name: string;
}

function setUp() {
	const clock = new FakeClock();
	const expired: string[] = [];
	const deadlines = new Deadlines<Item>(clock, (item) => expired.push(item.name));
	const add = (name: string, patience_ms: number): Item => {
		const item = { name, patience_ms, due_ms: 0 };
		deadlines.add(item);
		return item;
	};
	return { clock, expired, deadlines, add };
}

test("each item expires at its own time, whatever the order in which they came", async () => {
	const { clock, expired, add } = setUp();
	add("long", 1_000);
	add("short", 100);
	await clock.advance(50);
	add("short, later", 100);
	await clock.advance(50);
	assert.deepEqual(expired, ["short"]);
	await clock.advance(50);
	assert.deepEqual(expired, ["short", "short, later"]);
	await clock.advance(850);
	assert.deepEqual(expired, ["short", "short, later", "long"]);
});

test("one timer watches all items of equal patience", async () => {
	const { clock, add } = setUp();
	for (let index = 0; index < 1_000; index++) add(`${index}`, 60_000);
	assert.equal(clock.pending, 1);
	add("other", 30_000);
	assert.equal(clock.pending, 2);
});

test("an item that is removed never expires, and its timer stops when nothing follows", async () => {
	const { clock, expired, deadlines, add } = setUp();
	const item = add("removed", 100);
	deadlines.remove(item);
	await clock.advance(1_000);
	assert.deepEqual(expired, []);
	assert.equal(clock.pending, 0);
});

test("a restarted item has its whole time again, also with another patience", async () => {
	const { clock, expired, deadlines, add } = setUp();
	const item = add("restarted", 100);
	await clock.advance(90);
	deadlines.restart(item);
	await clock.advance(90);
	assert.deepEqual(expired, []);
	deadlines.restart(item, 1_000);
	await clock.advance(999);
	assert.deepEqual(expired, []);
	await clock.advance(1);
	assert.deepEqual(expired, ["restarted"]);
});

test("what an expiry starts in the same line is watched too", async () => {
	const clock = new FakeClock();
	let count = 0;
	const deadlines: Deadlines<Awaited> = new Deadlines(clock, (item) => {
		count += 1;
		if (count < 3) deadlines.add(item);
	});
	deadlines.add({ patience_ms: 10, due_ms: 0 });
	await clock.advance(100);
	assert.equal(count, 3);
	assert.equal(clock.pending, 0);
});

test("a patience longer than any timer does not expire at once", async () => {
	const { clock, expired, add } = setUp();
	add("patient", Number.MAX_SAFE_INTEGER);
	assert.equal(clock.next_due_ms, 2 ** 31 - 1);
	await clock.advance(1_000_000);
	assert.deepEqual(expired, []);
});

test("stopping cancels every timer", async () => {
	const { clock, expired, deadlines, add } = setUp();
	add("one", 10);
	add("two", 20);
	deadlines.stop();
	assert.equal(clock.pending, 0);
	await clock.advance(100);
	assert.deepEqual(expired, []);
});
