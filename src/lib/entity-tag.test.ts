import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsTag } from "./entity-tag.ts";

test("a tag fits what has it, a star whatever is there, and nothing fits what is not", () => {
	assert.equal(fitsTag('"1"', '"1"'), true);
	assert.equal(fitsTag('"0", "1"', '"1"'), true);
	assert.equal(fitsTag('"0"', '"1"'), false);
	assert.equal(fitsTag('W/"1"', '"1"'), false);
	assert.equal(fitsTag("*", '"1"'), true);
	assert.equal(fitsTag("*", undefined), false);
	assert.equal(fitsTag('"1"', undefined), false);
});
