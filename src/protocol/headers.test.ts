import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	decodeHeaderValue,
	encodeHeaderValue,
	nameSource,
	trimOptionalWhitespace,
} from "./headers.ts";

test("plain text travels as it is", () => {
	assert.equal(encodeHeaderValue("get_weather"), "get_weather");
	assert.equal(encodeHeaderValue("two words"), "two words");
});

test("text that a header cannot carry travels as base64 between sentinels", () => {
	assert.equal(encodeHeaderValue("Zürich"), "=?base64?WsO8cmljaA==?=");
	assert.equal(encodeHeaderValue(" edge"), "=?base64?IGVkZ2U=?=");
	assert.equal(encodeHeaderValue("a\nb"), "=?base64?YQpi?=");
	assert.equal(encodeHeaderValue(""), "=?base64??=");
});

test("a value that looks like the sentinel is encoded too", () => {
	const value = "=?base64?eA==?=";
	assert.notEqual(encodeHeaderValue(value), value);
	assert.equal(decodeHeaderValue(encodeHeaderValue(value)), value);
});

test("every string comes back from its header form", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme" }), (value) => {
			const header = encodeHeaderValue(value);
			assert.match(header, /^[\x20-\x7e\t]*$/);
			assert.equal(decodeHeaderValue(header), value);
		}),
	);
});

test("broken base64 and broken UTF-8 are refused", () => {
	assert.equal(decodeHeaderValue("=?base64?not base64?="), undefined);
	assert.equal(decodeHeaderValue("=?base64?abc?="), undefined);
	assert.equal(decodeHeaderValue("=?base64?/w==?="), undefined);
});

test("only spaces and tabs around a value are trimmed", () => {
	assert.equal(trimOptionalWhitespace(" \t a b \t"), "a b");
	assert.equal(trimOptionalWhitespace("\u00a0a"), "\u00a0a");
	assert.equal(trimOptionalWhitespace(""), "");
});

test("each method that has a name says where it is", () => {
	assert.equal(nameSource("tools/call"), "name");
	assert.equal(nameSource("prompts/get"), "name");
	assert.equal(nameSource("resources/read"), "uri");
	assert.equal(nameSource("tasks/get"), "taskId");
	assert.equal(nameSource("tools/list"), undefined);
});
