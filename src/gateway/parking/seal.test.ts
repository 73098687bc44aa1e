import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemRandom } from "../../lib/random.ts";
import { isSealed, openState, requestDigest, seal_key_bytes, sealState } from "./seal.ts";

const key = systemRandom.bytes(seal_key_bytes);
const state = {
	call: "c1",
	round: 2,
	principal: "ada",
	request: "digest",
	expires_at_ms: 1_000,
};

test("a sealed state opens with its key and says what was sealed", () => {
	const sealed = sealState(state, key, systemRandom);
	assert.ok(isSealed(sealed));
	assert.ok(!sealed.includes("ada"));
	assert.deepEqual(openState(sealed, key), state);
});

test("the same state never looks the same twice", () => {
	assert.notEqual(sealState(state, key, systemRandom), sealState(state, key, systemRandom));
});

test("another key opens nothing", () => {
	const sealed = sealState(state, key, systemRandom);
	assert.equal(openState(sealed, systemRandom.bytes(seal_key_bytes)), undefined);
});

test("a state altered in any character does not open", () => {
	const sealed = sealState(state, key, systemRandom);
	fc.assert(
		fc.property(fc.nat(sealed.length - 1), fc.constantFrom("A", "b", "9", "-"), (at, other) => {
			fc.pre(sealed[at] !== other);
			const altered = sealed.slice(0, at) + other + sealed.slice(at + 1);
			const opened = openState(altered, key);
			// Base64 has spare bits in its last character; the same bytes are the same state.
			if (opened !== undefined) assert.deepEqual(opened, state);
			assert.ok(opened === undefined || at === sealed.length - 1);
		}),
	);
});

test("text that is no state of ours does not open", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			assert.equal(openState(text, key), undefined);
			assert.equal(openState(`moorage1.${text}`, key), undefined);
		}),
	);
});

test("a request's digest ignores what changes between rounds and the order of members", () => {
	const first = requestDigest("mcp", "tools/call", {
		name: "buy",
		arguments: { a: 1, b: [{ c: 2, d: 3 }] },
		_meta: { progressToken: 1 },
	});
	const retry = requestDigest("mcp", "tools/call", {
		requestState: "x",
		inputResponses: {},
		arguments: { b: [{ d: 3, c: 2 }], a: 1 },
		name: "buy",
		_meta: { progressToken: 2 },
	});
	assert.equal(retry, first);
});

test("a request's digest tells endpoints, methods and arguments apart", () => {
	const params = { name: "buy", arguments: { count: 1 } };
	const digests = new Set([
		requestDigest("mcp", "tools/call", params),
		requestDigest("shop", "tools/call", params),
		requestDigest("mcp", "prompts/get", params),
		requestDigest("mcp", "tools/call", { name: "buy", arguments: { count: 2 } }),
		requestDigest("mcp", "tools/call", { name: "buy", arguments: [["count", 1]] }),
		requestDigest("mcp", "tools/call", undefined),
	]);
	assert.equal(digests.size, 6);
});
