import assert from "node:assert/strict";
import { test } from "node:test";
import { grantOwnerOf, ownerOf } from "./values.ts";

const sessions = { principalOfSession: (id: string) => (id === "s1" ? "acme/bob" : undefined) };

for (const [scope_key, owner] of [
	["", {}],
	["tenant:acme", { tenant: "acme" }],
	["user:acme/alice", { tenant: "acme", user: "alice" }],
	["user:local", {}],
	["session:s1", { tenant: "acme", user: "bob" }],
	["session:gone", {}],
	["client:acme/alice key:laptop", { tenant: "acme", user: "alice" }],
] as const) {
	test(`instances of "${scope_key}" get the values of ${JSON.stringify(owner)}`, () => {
		assert.deepEqual(ownerOf(scope_key, sessions), owner);
	});
}

test("an authorization is a person's, a tenant's or the gateway's, and never somebody else's", () => {
	const known = { principalOf: sessions.principalOfSession };
	const gateway_itself = { tenant: "", user: "" };
	assert.deepEqual(grantOwnerOf("", known), gateway_itself);
	assert.deepEqual(grantOwnerOf("user:local", known), gateway_itself);
	assert.deepEqual(grantOwnerOf("tenant:acme", known), { tenant: "acme", user: "" });
	assert.deepEqual(grantOwnerOf("session:s1", known), { tenant: "acme", user: "bob" });
	assert.equal(grantOwnerOf("session:gone", known), "nobody");
});
