import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { TypedFields } from "./typed-fields.ts";

test("what was typed is given back once, to the same browser on the same page", () => {
	const typed = new TypedFields(new FakeClock());
	typed.keep("mine", "/approvals/a", { reason: "Because." });
	assert.equal(typed.take("theirs", "/approvals/a"), undefined);
	assert.equal(typed.take("mine", "/approvals/b"), undefined);
	assert.deepEqual(typed.take("mine", "/approvals/a"), { reason: "Because." });
	assert.equal(typed.take("mine", "/approvals/a"), undefined);
});

test("it goes along when the browser gets another token", () => {
	const typed = new TypedFields(new FakeClock());
	typed.keep("before", "/approvals/a", { reason: "Because." });
	typed.move("before", "after");
	typed.move(undefined, "other");
	assert.equal(typed.take("before", "/approvals/a"), undefined);
	assert.deepEqual(typed.take("after", "/approvals/a"), { reason: "Because." });
});

test("it is kept for ten minutes, and neither too much nor too many", async () => {
	const clock = new FakeClock();
	const typed = new TypedFields(clock);
	typed.keep("mine", "/old", { reason: "x" });
	await clock.advance(10 * 60_000);
	assert.equal(typed.take("mine", "/old"), undefined);
	typed.keep("mine", "/long", { reason: "x".repeat(16 * 1024 + 1) });
	assert.equal(typed.take("mine", "/long"), undefined);
	for (let count = 0; count <= 500; count += 1) typed.keep(`browser${count}`, "/", { a: "b" });
	assert.equal(typed.take("browser0", "/"), undefined);
	assert.deepEqual(typed.take("browser1", "/"), { a: "b" });
});
