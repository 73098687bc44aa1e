import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { baseKey, isBaseKey, keyText } from "./instance-key.ts";

test("the base key is everybody's, with no capabilities", () => {
	const key = baseKey("time");
	assert.deepEqual(key, { server: "time", scope_key: "", capabilities: "{}" });
	assert.ok(isBaseKey(key));
	assert.ok(!isBaseKey({ ...key, scope_key: "ada" }));
	assert.ok(!isBaseKey({ ...key, capabilities: '{"roots":{}}' }));
});

test("two keys of one server have the same text only when they are the same", () => {
	const part = fc.string({ unit: "binary" });
	fc.assert(
		fc.property(part, part, fc.json(), fc.json(), (scope, other_scope, json, other_json) => {
			const one = { server: "s", scope_key: scope, capabilities: json };
			const other = { server: "s", scope_key: other_scope, capabilities: other_json };
			const same = scope === other_scope && json === other_json;
			assert.equal(keyText(one) === keyText(other), same);
		}),
	);
});
