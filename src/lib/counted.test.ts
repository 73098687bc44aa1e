import assert from "node:assert/strict";
import { test } from "node:test";
import { counted } from "./counted.ts";

test("one is told as one, and all else as many", () => {
	const told = [0, 1, 2].map((number) => counted(number, "call"));
	assert.deepEqual(told, ["0 calls", "1 call", "2 calls"]);
	assert.deepEqual(
		[1, 2].map((number) => counted(number, "is", "are")),
		["1 is", "2 are"],
	);
});
