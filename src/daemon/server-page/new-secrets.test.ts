import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangedSecret } from "../../admin/contracts/secrets.ts";
import { problemOf } from "../../admin/problem.ts";
import { fail, succeed } from "../../lib/result.ts";
import { storeNew } from "./new-secrets.ts";

/** As much of a vault as is asked here; it refuses values of less than four letters. */
function vaultWith(...names: string[]) {
	const held = new Map(names.map((name) => [name, "old"]));
	return {
		held,
		list: async () => ({
			secrets: [...held.keys()].map((name) => ({
				name,
				tenant: "",
				user: "",
				created_at_ms: 1,
				changed_at_ms: 1,
			})),
		}),
		set: async ({ value, ...secret }: ChangedSecret & { readonly value: string }) => {
			if (value.length < 4) return fail(problemOf("secret_refused", "The value is too short."));
			held.set(secret.name, value);
			return succeed(secret);
		},
		remove: async (secret: ChangedSecret) => {
			held.delete(secret.name);
			return succeed(secret);
		},
	};
}

test("values are stored under names that are free, and taken out again when asked to", async () => {
	const vault = vaultWith("theirs");
	const stored = await storeNew(vault, { one: "value 1", two: "value 2" });
	assert.ok(stored.ok);
	assert.deepEqual([...vault.held.keys()], ["theirs", "one", "two"]);
	await stored.value.undo();
	assert.deepEqual([...vault.held], [["theirs", "old"]]);
});

test("what is there already is never replaced", async () => {
	const vault = vaultWith("theirs");
	const stored = await storeNew(vault, { one: "value 1", theirs: "mine now" });
	assert.ok(!stored.ok);
	assert.match(stored.problem.message, /`theirs` already/);
	assert.deepEqual([...vault.held], [["theirs", "old"]]);
});

test("where one value is refused, none is kept", async () => {
	const vault = vaultWith();
	const stored = await storeNew(vault, { one: "value 1", two: "x" });
	assert.ok(!stored.ok);
	assert.equal(vault.held.size, 0);
	const none = await storeNew(vault, {});
	assert.ok(none.ok);
	const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`s${at}`, "value"]));
	assert.equal((await storeNew(vault, many)).ok, false);
});
