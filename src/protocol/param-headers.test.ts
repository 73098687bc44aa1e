import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeHeaderValue } from "./headers.ts";
import {
	findParamHeaders,
	paramHeaderProblem,
	paramHeadersOf,
	paramText,
} from "./param-headers.ts";

const marked = (type: unknown, name: unknown) => ({ type, "x-mcp-header": name });
const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const at_a = { path: ["a"], header: "mcp-param-a" };

test("annotated arguments are found through properties at any depth", () => {
	const schema = object({
		region: marked("string", "Region"),
		query: { type: "string" },
		inner: object({ deep: object({ count: marked("integer", "X-Count") }) }),
		dry: marked("boolean", "dry"),
	});
	assert.deepEqual(findParamHeaders(schema), [
		{ path: ["region"], header: "mcp-param-region" },
		{ path: ["inner", "deep", "count"], header: "mcp-param-x-count" },
		{ path: ["dry"], header: "mcp-param-dry" },
	]);
	assert.deepEqual(findParamHeaders(object({})), []);
	assert.deepEqual(findParamHeaders(undefined), []);
	assert.deepEqual(findParamHeaders(true), []);
});

test("an annotation that breaks a rule makes the tool invalid", () => {
	const a = marked("string", "A");
	const invalid: object[] = [
		object({ a: marked("string", "") }),
		object({ a: marked("string", "My Region") }),
		object({ a: marked("string", "Region:Primary") }),
		object({ a: marked("string", "Région") }),
		object({ a: marked("string", "A\r\nB") }),
		object({ a: marked("string", 7) }),
		object({ a: marked("number", "A") }),
		object({ a: marked("object", "A") }),
		object({ a: marked("array", "A") }),
		object({ a: marked("null", "A") }),
		object({ a: marked(["string", "null"], "A") }),
		object({ a: marked(undefined, "A") }),
		object({ a, b: a }),
		object({ a, b: marked("string", "a") }),
		object({ list: { type: "array", items: object({ a }) } }),
		object({ any: { anyOf: [{ type: "string" }, a] } }),
		object({ any: { anyOf: [object({ a })] } }),
		object({}, { $defs: { a } }),
		object({}, { patternProperties: { "^x": a } }),
		object({}, { additionalProperties: a }),
		object({}, { if: object({ a }) }),
		{ ...object({}), "x-mcp-header": "Root" },
	];
	for (const schema of invalid) {
		assert.equal(findParamHeaders(schema), undefined, JSON.stringify(schema));
	}
});

test("a schema may use the annotation's name as the name of an argument", () => {
	const schema = object({ "x-mcp-header": marked("string", "A") });
	assert.deepEqual(findParamHeaders(schema), [{ path: ["x-mcp-header"], header: "mcp-param-a" }]);
});

test("a tool's headers are read from its bytes, and none from an invalid one", () => {
	const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
	const tool = bytesOf({ name: "t", inputSchema: object({ a: marked("string", "A") }) });
	assert.deepEqual(paramHeadersOf(tool), [at_a]);
	assert.equal(paramHeadersOf(tool), paramHeadersOf(tool));
	assert.deepEqual(paramHeadersOf(bytesOf({ name: "t", inputSchema: object({}) })), []);
	assert.deepEqual(
		paramHeadersOf(bytesOf({ name: "t", inputSchema: object({ a: marked("number", "A") }) })),
		[],
	);
	assert.deepEqual(paramHeadersOf(bytesOf({ name: "x-mcp-header" })), []);
	assert.deepEqual(paramHeadersOf(Buffer.from('{"x-mcp-header')), []);
});

test("arguments become text, and what is not exact is left out", () => {
	assert.equal(paramText("a b"), "a b");
	assert.equal(paramText(""), "");
	assert.equal(paramText(true), "true");
	assert.equal(paramText(false), "false");
	assert.equal(paramText(42), "42");
	assert.equal(paramText(-1), "-1");
	for (const value of [null, undefined, {}, [], 1e300, 2 ** 53, Number.NaN]) {
		assert.equal(paramText(value), undefined);
	}
});

test("a header agrees with its argument, is missing, or disagrees", () => {
	const problem = (value: unknown, header: string | undefined) =>
		paramHeaderProblem(at_a, value, header);
	assert.equal(problem("x", "x"), undefined);
	assert.equal(problem("x", " x\t"), undefined);
	assert.equal(problem(42, "42.0"), undefined);
	assert.equal(problem(42, encodeHeaderValue("42")), undefined);
	assert.equal(problem(true, "true"), undefined);
	assert.equal(problem(null, "anything"), undefined);
	assert.equal(problem(undefined, "anything"), undefined);
	assert.equal(problem(undefined, undefined), undefined);
	assert.equal(problem("x", undefined), "the mcp-param-a header is missing");
	assert.equal(problem("x", "y"), "the mcp-param-a header does not match params.arguments.a");
	assert.equal(problem("x", "=?base64?SGVsbG8?="), "the mcp-param-a header holds invalid base64");
	assert.equal(problem("42", "42.0"), "the mcp-param-a header does not match params.arguments.a");
	assert.match(problem(42, "0x2a") ?? "", /does not match/);
	assert.match(problem(42, "43") ?? "", /does not match/);
	assert.match(problem(true, "True") ?? "", /does not match/);
});

test("whatever a client writes into a header by the rules agrees with what it mirrors", () => {
	const value = fc.oneof(fc.string({ unit: "binary" }), fc.boolean(), fc.maxSafeInteger());
	fc.assert(
		fc.property(value, (argument) => {
			const text = paramText(argument);
			assert.ok(text !== undefined);
			// Half a surrogate pair is no text that UTF-8 can carry.
			fc.pre(text.isWellFormed());
			assert.equal(paramHeaderProblem(at_a, argument, encodeHeaderValue(text)), undefined);
		}),
	);
});

test("no header agrees with two different texts", () => {
	fc.assert(
		fc.property(fc.string(), fc.string(), (one, other) => {
			fc.pre(one !== other);
			assert.notEqual(paramHeaderProblem(at_a, one, encodeHeaderValue(other)), undefined);
		}),
	);
});
