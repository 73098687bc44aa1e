import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedSlots } from "./shared-slots.ts";

test("what is given back is used again, larger pieces are not kept, and only so many are", () => {
	const slots = new SharedSlots(64, 2);
	const [first, second, third] = [slots.take(), slots.take(64), slots.take()];
	assert.notEqual(first.memory, second.memory);
	const large = slots.take(65);
	assert.equal(large.bytes.length, 65);
	for (const slot of [large, first, second, third]) slots.giveBack(slot);
	assert.equal(slots.take(), second);
	assert.equal(slots.take(), first);
	assert.notEqual(slots.take(), third);
	first.bytes.write("seen");
	assert.equal(Buffer.from(first.memory).toString("latin1", 0, 4), "seen");
});
