import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { ApiKeyPlan } from "../config/plan-identity.ts";
import { ApiKeys, hashApiKey, key_prefix, newApiKey } from "./api-keys.ts";

const random = new SeededRandom(1);
const alice_key = newApiKey(random);
const bob_key = newApiKey(random);

function planned(key: string, change: Partial<ApiKeyPlan>): ApiKeyPlan {
	const base = { name: "a key", tenant: "acme", user: "alice", expires_at_ms: undefined };
	return { ...base, roles: [], scopes: undefined, hash: hashApiKey(key), ...change };
}

const keys = new ApiKeys([
	planned(alice_key, { name: "alice-laptop", roles: ["operator"], scopes: ["read"] }),
	planned(bob_key, { name: "bob-phone", user: "bob", expires_at_ms: 1_000 }),
]);

test("a key tells who calls, which client was authenticated, and what it may do", () => {
	const found = keys.identify(hashApiKey(alice_key), 0);
	assert.deepEqual(found, {
		ok: true,
		value: {
			id: "acme/alice",
			tenant: "acme",
			user: "alice",
			client: "key:alice-laptop",
			roles: ["operator"],
			scopes: ["read"],
			claims: {},
			via: "key",
		},
	});
});

test("a key is taken until the moment it expires", () => {
	assert.equal(keys.identify(hashApiKey(bob_key), 999)?.ok, true);
	const late = keys.identify(hashApiKey(bob_key), 1_000);
	assert.equal(late?.ok === false && late.problem.code, "credential_expired");
});

test("a hash is no key, and a key of nobody is none", () => {
	assert.equal(keys.identify(hashApiKey(hashApiKey(alice_key)), 0), undefined);
	assert.equal(keys.identify(hashApiKey(newApiKey(random)), 0), undefined);
});

test("keys that are kept elsewhere are found as they are in the moment", () => {
	const carol_key = newApiKey(random);
	const stored = new Map([[hashApiKey(carol_key), planned(carol_key, { user: "carol" })]]);
	const used: string[] = [];
	const both = new ApiKeys([planned(bob_key, { user: "bob" })], {
		findKey: (digest) => stored.get(digest),
		onKeyUsed: (name) => used.push(name),
	});
	const idOf = (key: string) => {
		const found = both.identify(hashApiKey(key), 0);
		return found?.ok ? found.value.id : undefined;
	};
	assert.deepEqual([idOf(carol_key), idOf(bob_key)], ["acme/carol", "acme/bob"]);
	assert.deepEqual(used, ["a key"]);
	stored.clear();
	assert.equal(idOf(carol_key), undefined);
});

test("keys are long, recognisable, and never the same", () => {
	const drawn = new Set(Array.from({ length: 100 }, () => newApiKey(random)));
	assert.equal(drawn.size, 100);
	for (const key of drawn) assert.match(key, new RegExp(`^${key_prefix}[A-Za-z0-9_-]{43}$`));
});
