import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { visibleJson } from "./visible-json.ts";

test("what hides or turns the writing direction is an escape, and everything else is as it was", () => {
	const json = '{"to":"sail\u202emaker\u200b","n":1.0,"ä":"日本 – ’"}';
	const shown = '{"to":"sail\\u202emaker\\u200b","n":1.0,"ä":"日本 – ’"}';
	assert.equal(visibleJson(json), shown);
	assert.equal(visibleJson("{\r\n\t}"), "{ \n\t}");
});

test("it means the same", () => {
	fc.assert(
		fc.property(fc.json({ stringUnit: "binary" }), (json) => {
			assert.deepEqual(JSON.parse(visibleJson(json)), JSON.parse(json));
		}),
	);
});
