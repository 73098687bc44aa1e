import assert from "node:assert/strict";
import { test } from "node:test";
import { localOffset } from "./local-time.ts";

test("the offset leads from a moment to what the machine's clocks show then", () => {
	for (const month of [0, 3, 6, 9]) {
		const at = new Date(2026, month, 15, 8, 30);
		const shown_ms = at.getTime() + localOffset(at.getTime());
		assert.equal(shown_ms, Date.UTC(2026, month, 15, 8, 30));
	}
});
