import assert from "node:assert/strict";
import { test } from "node:test";
import { Slots } from "./slots.ts";

test("room goes to the most urgent, then to who came first, and never to more than there are", async () => {
	const slots = new Slots(2);
	const order: string[] = [];
	let inside = 0;
	let most = 0;
	const visit = async (name: string, priority: number) => {
		await slots.take(priority);
		inside++;
		most = Math.max(most, inside);
		order.push(name);
		await Promise.resolve();
		inside--;
		slots.give();
	};
	await Promise.all([
		visit("first", 1),
		visit("second", 1),
		visit("later", 1),
		visit("even later", 1),
		visit("urgent", 0),
	]);
	assert.deepEqual(order, ["first", "second", "urgent", "later", "even later"]);
	assert.equal(most, 2);
});
