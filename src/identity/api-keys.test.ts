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
	const stored = new Map([
		[hashApiKey(carol_key), planned(carol_key, { user: "carol", name: "stored" })],
	]);
	const used: string[] = [];
	const both = new ApiKeys([planned(bob_key, { user: "bob" })], {
		findKey: (digest) => stored.get(digest),
		keyNamed: (name) => [...stored.values()].find((key) => key.name === name),
		onKeyUsed: (name) => used.push(name),
	});
	const found = (key: string) => {
		const one = both.identify(hashApiKey(key), 0);
		return one?.ok ? one.value : undefined;
	};
	const carol = found(carol_key) ?? assert.fail("she has a key");
	assert.deepEqual([carol.id, found(bob_key)?.id], ["acme/carol", "acme/bob"]);
	assert.deepEqual(used, ["stored"]);
	assert.equal(both.isStill(carol, 0), true);
	stored.clear();
	assert.equal(found(carol_key), undefined);
	assert.equal(both.isStill(carol, 0), false);
});

test("keys are long, recognisable, and never the same", () => {
	const drawn = new Set(Array.from({ length: 100 }, () => newApiKey(random)));
	assert.equal(drawn.size, 100);
	for (const key of drawn) assert.match(key, new RegExp(`^${key_prefix}[A-Za-z0-9_-]{43}$`));
});

test("whoever came with a key is somebody as long as it is there, theirs, and has not expired", () => {
	const found = keys.identify(hashApiKey(bob_key), 999);
	const bob = found?.ok ? found.value : assert.fail("he has a key");
	assert.equal(keys.isStill(bob, 999), true);
	assert.equal(keys.isStill(bob, 1_000), false);
	assert.equal(new ApiKeys([]).isStill(bob, 0), false);
	const same = { name: "bob-phone", user: "bob" };
	assert.equal(new ApiKeys([planned(bob_key, same)]).isStill(bob, 0), true);
	assert.equal(new ApiKeys([planned(bob_key, { ...same, user: "carol" })]).isStill(bob, 0), false);
	const other_key = planned(newApiKey(random), same);
	assert.equal(new ApiKeys([other_key]).isStill(bob, 0), false, "another key of the same name");
});
