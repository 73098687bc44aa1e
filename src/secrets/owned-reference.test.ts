import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bodyFor, ownersIn } from "./owned-reference.ts";
import type { Reference } from "./template.ts";

const ana = { tenant: "acme", user: "ana@example.com" };

function reference(kind: Reference["kind"], body: string): Reference {
	return { kind, body };
}

test("the ids of the owner stand where a reference asks for them", () => {
	for (const [kind, body, wanted] of [
		["vault", "kv/@tenant/@user/github#token", "kv/acme/ana@example.com/github#token"],
		["vault", "kv/@tenant/x#@user", "kv/acme/x#@user"],
		["file", "/run/tokens/@tenant/@user", "/run/tokens/acme/ana@example.com"],
		["file", "/run/@tenant-tokens/a@user#@tenant", "/run/@tenant-tokens/a@user#@tenant"],
		["env", "TOKEN_@tenant", "TOKEN_acme"],
		["env", "TOKEN", "TOKEN"],
		["secret", "@tenant", "@tenant"],
	] as const) {
		assert.deepEqual(bodyFor(reference(kind, body), ana), { ok: true, value: wanted });
	}
	assert.deepEqual([...ownersIn(reference("vault", "kv/@tenant/a#b"))], ["tenant"]);
	assert.deepEqual([...ownersIn(reference("input", "a_@tenant"))], []);
});

test("whoever has no id there gets no value, not another's", () => {
	const shared = bodyFor(reference("file", "/run/@tenant/token"), {});
	assert.match(shared.ok ? "" : shared.problem.message, /this instance is of none/);
	const tenants = bodyFor(reference("file", "/run/@tenant/@user"), { tenant: "acme" });
	assert.match(tenants.ok ? "" : tenants.problem.next, /^Give the server `scope: user`/);
});

test("an id that could be another path, or two ids, is refused", () => {
	for (const user of ["..", ".", ".a", "a/b", "a\\b", "a b", "", "a#b", "ü", "a".repeat(129)]) {
		const found = bodyFor(reference("vault", "kv/@tenant/@user#x"), { tenant: "acme", user });
		assert.match(found.ok ? "" : found.problem.message, /id of the user cannot stand/, user);
	}
	const joined = bodyFor(reference("env", "T_@tenant_@user"), { tenant: "a_b", user: "c" });
	assert.match(joined.ok ? "" : joined.problem.message, /other signs than letters and digits/);
});

test("no two owners ever have the same place", () => {
	const id = fc.string({ unit: fc.constantFrom("a", "b", "_", ".", "/", "@", "-"), maxLength: 4 });
	const owner = fc.record({ tenant: id, user: id });
	const kinds = fc.constantFrom(
		reference("vault", "kv/@tenant/@user#x"),
		reference("file", "/run/@tenant/x/@user"),
		reference("env", "T_@tenant_@user"),
	);
	fc.assert(
		fc.property(kinds, owner, owner, (asked, one, other) => {
			const [first, second] = [bodyFor(asked, one), bodyFor(asked, other)];
			if (!first.ok || !second.ok || first.value !== second.value) return;
			assert.deepEqual(one, other);
		}),
		{ numRuns: 2_000 },
	);
});
