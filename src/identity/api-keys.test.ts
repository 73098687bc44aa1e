import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { ApiKeyPlan } from "../config/plan.ts";
import { ApiKeys, hashApiKey, key_prefix, newApiKey } from "./api-keys.ts";

const random = new SeededRandom(1);
const alice_key = newApiKey(random);
const bob_key = newApiKey(random);

function planned(key: string, change: Partial<ApiKeyPlan>): ApiKeyPlan {
	const base = { name: "a key", tenant: "acme", user: "alice", expires_at_ms: undefined };
	return { ...base, hash: hashApiKey(key), ...change };
}

const keys = new ApiKeys({
	keys: [
		planned(alice_key, { name: "alice-laptop" }),
		planned(bob_key, { name: "bob-phone", user: "bob", expires_at_ms: 1_000 }),
	],
});

test("a key tells who calls, and which client was authenticated", () => {
	const found = keys.identify(`Bearer ${alice_key}`, 0);
	assert.deepEqual(found, {
		ok: true,
		value: {
			id: "acme/alice",
			tenant: "acme",
			user: "alice",
			client: "key:alice-laptop",
			roles: [],
			scopes: undefined,
			claims: {},
			via: "key",
		},
	});
});

test("the scheme's name may be written in any case, and spaces around the key do not count", () => {
	for (const header of [`bearer ${alice_key}`, `BEARER   ${alice_key}  `]) {
		assert.equal(keys.identify(header, 0).ok, true, header);
	}
});

test("a key is taken until the moment it expires", () => {
	assert.equal(keys.identify(`Bearer ${bob_key}`, 999).ok, true);
	assert.deepEqual(keys.identify(`Bearer ${bob_key}`, 1_000), { ok: false, problem: "expired" });
});

test("what is no bearer credential is told from a key that is not known", () => {
	const problem = (header: string | undefined) => {
		const found = keys.identify(header, 0);
		return found.ok ? "let in" : found.problem;
	};
	assert.equal(problem(undefined), "missing");
	assert.equal(problem(""), "malformed");
	assert.equal(problem("Bearer"), "malformed");
	assert.equal(problem("Bearer "), "malformed");
	assert.equal(problem(`Basic ${alice_key}`), "malformed");
	assert.equal(problem(`Bearer ${alice_key} ${bob_key}`), "malformed");
	assert.equal(problem(`Bearer ${"a".repeat(1_000)}`), "malformed");
	assert.equal(problem(`Bearer ${newApiKey(random)}`), "unknown");
	assert.equal(problem(`Bearer ${hashApiKey(alice_key)}`), "unknown");
});

test("nothing but a key lets anyone in", () => {
	fc.assert(
		fc.property(fc.string(), (text) => {
			assert.equal(keys.identify(text, 0).ok, false);
			assert.equal(keys.identify(`Bearer ${text}`, 0).ok, false);
		}),
	);
});

test("keys are long, recognisable, and never the same", () => {
	const drawn = new Set(Array.from({ length: 100 }, () => newApiKey(random)));
	assert.equal(drawn.size, 100);
	for (const key of drawn) assert.match(key, new RegExp(`^${key_prefix}[A-Za-z0-9_-]{43}$`));
});
