import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { object_text, parseJsonText, value_text } from "../../test/support/json-text.ts";
import { composeError, composeNotification, composeRequest, composeResult } from "./compose.ts";
import { indexMessage } from "./index-message.ts";
import { rawText } from "./object.ts";

test("a request is composed with its id and params as given", () => {
	const message = composeRequest("7", "tools/call", '{"n":1.0,"_meta":{"progressToken":"t"}}');
	assert.equal(
		message.bytes.toString(),
		'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"n":1.0,"_meta":{"progressToken":"t"}}}',
	);
	assert.equal(message.kind, "request");
	assert.equal(message.meta && rawText(message.bytes, message.meta.span), '{"progressToken":"t"}');
	assert.equal(composeRequest('"a"', "ping", undefined).params, undefined);
});

test("a notification is composed without an id", () => {
	const message = composeNotification("notifications/cancelled", '{"requestId":1}');
	assert.equal(message.kind, "notification");
	assert.equal(message.method, "notifications/cancelled");
	assert.equal(message.bytes.includes('"id"'), false);
	assert.equal(
		composeNotification("a", undefined).bytes.toString(),
		'{"jsonrpc":"2.0","method":"a"}',
	);
});

test("a method is written as JSON whatever is in it", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), object_text, (method, params) => {
			const indexed = indexMessage(
				Buffer.from(`{"jsonrpc":"2.0","method":"a","params":${params}}`),
			);
			fc.pre(indexed.ok);
			const message = composeRequest("1", method, params);
			assert.equal(message.method, method);
			assert.equal(message.params && rawText(message.bytes, message.params.span), params);
		}),
	);
});

test("parts that make no message are a programmer's error", () => {
	for (const compose of [
		() => composeRequest("null", "a", undefined),
		() => composeRequest("", "a", undefined),
		() => composeRequest("x", "a", undefined),
		() => composeRequest("1", "a", "[]"),
		() => composeNotification("a", "{"),
		() => composeNotification("a", ""),
	]) {
		assert.throws(compose, { name: "AssertionError" });
	}
});

test("a result is composed from text or bytes, kept as they are", () => {
	fc.assert(
		fc.property(object_text, (result) => {
			const expected = `{"jsonrpc":"2.0","id":"ä","result":${result}}`;
			assert.equal(composeResult('"ä"', result).toString(), expected);
			assert.equal(composeResult('"ä"', Buffer.from(result)).toString(), expected);
		}),
	);
});

test("an error is composed with and without data, for a known and an unknown id", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.option(value_text), (text, data) => {
			const bytes = composeError("null", -32600, text, data ?? undefined);
			assert.ok(indexMessage(bytes).ok);
			assert.deepEqual(parseJsonText(bytes.toString()), {
				jsonrpc: "2.0",
				id: null,
				error: {
					code: -32600,
					message: text,
					...(data === null ? {} : { data: parseJsonText(data) }),
				},
			});
		}),
	);
	assert.equal(
		composeError("3", 1001, "Wait.").toString(),
		'{"jsonrpc":"2.0","id":3,"error":{"code":1001,"message":"Wait."}}',
	);
});
