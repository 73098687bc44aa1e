import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isSameText } from "./same-text.ts";

test("texts are the same when they are, whatever their lengths and letters", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (one, other) => {
			assert.equal(isSameText(one, other), one === other);
			assert.equal(isSameText(one, one), true);
			assert.equal(isSameText(one, `${one}x`), false);
		}),
	);
});
