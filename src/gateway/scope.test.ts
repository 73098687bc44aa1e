import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scope, ServerPlan } from "../config/plan.ts";
import { local_principal } from "../identity/principal.ts";
import {
	callerOf,
	isIndistinct,
	scopeKey,
	scopeProblem,
	sessionOfScope,
	sharesScope,
	type Who,
} from "./scope.ts";

const scopes: readonly Scope[] = ["shared", "tenant", "user", "session"];
const local: Who = { principal: local_principal.id, session_id: undefined };
const ada: Who = { principal: "acme/ada", session_id: "s1" };
const ada_again: Who = { principal: "acme/ada", session_id: "s2" };
const ada_key: Who = { principal: "acme/ada", session_id: undefined, client_id: "laptop" };
const bob: Who = { principal: "acme/bob", session_id: undefined, client_id: "laptop" };
const eve: Who = { principal: "evil/ada", session_id: undefined, client_id: "laptop" };
const everybody = [local, ada, ada_again, ada_key, bob, eve];

test("those share an instance whom its scope puts together, and nobody else", () => {
	const together = (scope: Scope) =>
		everybody.map((who) =>
			everybody.findIndex((one) => scopeKey(scope, one) === scopeKey(scope, who)),
		);
	assert.deepEqual(together("shared"), [0, 0, 0, 0, 0, 0]);
	assert.deepEqual(together("tenant"), [0, 1, 1, 1, 1, 5]);
	assert.deepEqual(together("user"), [0, 1, 1, 1, 4, 5]);
	assert.deepEqual(together("session"), [0, 1, 2, 3, 4, 5]);
});

test("keys of different scopes are never equal", () => {
	const odd: Who = { principal: "session:s1", session_id: "user:acme/ada" };
	const keys = [...everybody, odd].map((who) => scopes.map((scope) => scopeKey(scope, who)));
	for (const [at, scope] of scopes.entries()) {
		for (const own of keys.map((one) => one[at])) {
			const others = keys.flatMap((one) => one.filter((_, other) => other !== at));
			assert.ok(scope === "shared" || !others.includes(own as string), String(own));
		}
	}
});

test("a client hears of the instances that work for it, and of no others", () => {
	for (const who of everybody) {
		for (const other of everybody) {
			for (const scope of scopes) {
				const key = scopeKey(scope, other);
				assert.equal(sharesScope(key, who), scopeKey(scope, who) === key);
			}
		}
	}
});

test("a session's key leads back to it, no other key does", () => {
	assert.equal(sessionOfScope(scopeKey("session", ada)), "s1");
	for (const scope of ["shared", "tenant", "user"] as const) {
		assert.equal(sessionOfScope(scopeKey(scope, ada)), undefined);
	}
	assert.equal(sessionOfScope(scopeKey("session", bob)), undefined);
});

test("a client without session and identity is like any other, and is told so", () => {
	assert.deepEqual(everybody.map(isIndistinct), [true, false, false, false, false, false]);
	assert.equal(callerOf(local), undefined);
	assert.equal(new Set(everybody.slice(1).map(callerOf)).size, 5);
	const server = (scope: Scope) => ({ name: "notes", scope }) as ServerPlan;
	assert.match(scopeProblem(server("session"), local) ?? "", /"notes".*`user` or `shared`/);
	for (const who of everybody.slice(1)) {
		assert.equal(scopeProblem(server("session"), who), undefined);
	}
	for (const scope of ["shared", "tenant", "user"] as const) {
		assert.equal(scopeProblem(server(scope), local), undefined);
	}
});
