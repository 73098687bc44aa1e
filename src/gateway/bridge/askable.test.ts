import assert from "node:assert/strict";
import { test } from "node:test";
import { unaskable } from "./askable.ts";

test("a client is asked what it declared, and nothing that it did not", () => {
	for (const [method, name] of [
		["elicitation/create", "elicitation"],
		["roots/list", "roots"],
		["sampling/createMessage", "sampling"],
	] as const) {
		assert.equal(unaskable(method, `{"${name}":{}}`), undefined);
		for (const capabilities of ["{}", '{"other":{}}', `{"${name}":null}`]) {
			const refused = unaskable(method, capabilities);
			assert.match(refused?.text ?? "", new RegExp(`^asked ${method} of clients .*"${name}"`));
			assert.equal((JSON.parse(refused?.json ?? "") as { code: number }).code, -32601);
		}
	}
});

test("what no capability is needed for is nobody's to refuse here", () => {
	for (const method of ["ping", "x/unknown", "toString", undefined]) {
		assert.equal(unaskable(method, "{}"), undefined);
	}
});
