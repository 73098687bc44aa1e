import assert from "node:assert/strict";
import { test } from "node:test";
import { ownerOf } from "./values.ts";

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
