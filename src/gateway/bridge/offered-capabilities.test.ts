import assert from "node:assert/strict";
import { test } from "node:test";
import { OfferedCapabilities, profiles_per_server_max } from "./offered-capabilities.ts";

test("a server is told what makes it behave differently, and nothing else", () => {
	const offered = new OfferedCapabilities();
	const offer = (declared: string) => offered.offer("s", declared);
	assert.equal(offer("{}"), "{}");
	assert.equal(offer('{"experimental":{"x":{}},"unknown":{}}'), "{}");
	assert.equal(offer('{"sampling":{"tools":{}}}'), '{"sampling":{"tools":{}}}');
	assert.equal(offer('{"elicitation":true,"sampling":null}'), "{}");
	assert.equal(offer('{"extensions":{"a/b":{"n":1}}}'), '{"extensions":{"a/b":{"n":1}}}');
});

test("roots are offered without the promise to announce changes", () => {
	const offered = new OfferedCapabilities();
	assert.equal(offered.offer("s", '{"roots":{"listChanged":true}}'), '{"roots":{}}');
});

test("the same said in another order, or with escapes, is the same", () => {
	const offered = new OfferedCapabilities();
	const one = offered.offer("s", '{"sampling":{},"elicitation":{"url":{},"form":{}}}');
	const other = offered.offer("s", ' {"elicitation":{"form":{},"url":{} }, "sampling":{}}');
	const escaped = offered.offer("s", '{"s\\u0061mpling":{},"elicitation":{"url":{},"form":{}}}');
	assert.equal(one, '{"elicitation":{"form":{},"url":{}},"sampling":{}}');
	assert.equal(other, one);
	assert.equal(escaped, one);
});

test("ever new declarations start a bounded number of instances", () => {
	const offered = new OfferedCapabilities();
	const declare = (at: number) => `{"extensions":{"x/${at}":{}}}`;
	const given = new Set<string>();
	for (let at = 0; at < 500; at += 1) given.add(offered.offer("s", declare(at)));
	assert.equal(given.size, profiles_per_server_max + 1);
	assert.ok(given.has("{}"));
	// Those that were there first go on, and other servers have a count of their own.
	assert.equal(offered.offer("s", declare(0)), '{"extensions":{"x/0":{}}}');
	assert.equal(offered.offer("other", declare(499)), '{"extensions":{"x/499":{}}}');
});

test("a server that is forgotten starts counting anew", () => {
	const offered = new OfferedCapabilities();
	for (let at = 0; at < 20; at += 1) offered.offer("s", `{"extensions":{"x/${at}":{}}}`);
	assert.equal(offered.offer("s", '{"sampling":{}}'), "{}");
	offered.forget("s");
	assert.equal(offered.offer("s", '{"sampling":{}}'), '{"sampling":{}}');
});

test("a declaration longer than any real one is not passed on", () => {
	const offered = new OfferedCapabilities();
	const long = `{"sampling":{"x":"${"x".repeat(9000)}"}}`;
	assert.equal(offered.offer("s", long), "{}");
});

test("thousands of different declarations are not all remembered, and still read rightly", () => {
	const offered = new OfferedCapabilities();
	for (let at = 0; at < 3000; at += 1) {
		assert.equal(offered.offer("s", `{"sampling":{},"x":${at}}`), '{"sampling":{}}');
	}
});
