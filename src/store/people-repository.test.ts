import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "./database.ts";
import { SqlPeopleRepository } from "./people-repository.ts";

test("everybody is read, each once, however many there are and whoever was removed", async (t) => {
	const opened = await openDatabase({ path: ":memory:" });
	assert.ok(opened.ok);
	t.after(() => opened.value.close());
	const { connection } = opened.value;
	const people = new SqlPeopleRepository(connection);
	assert.deepEqual(await people.users(), []);
	// More than two readings of a thousand, and one that ends exactly there once two are gone.
	const users = Array.from({ length: 2_002 }, (_, at) => ({
		tenant: "acme",
		user: `u${at}`,
		roles: at % 2 === 0 ? '["operator"]' : "[]",
		created_at_ms: at,
	}));
	for (const at of [0, 1_001]) {
		await connection
			.insertInto("users")
			.values(users.slice(at, at + 1_001))
			.execute();
	}
	const names = async () => (await people.users()).map(({ user }) => user).toSorted();
	assert.deepEqual(await names(), users.map(({ user }) => user).toSorted());
	await people.removeUser("acme", "u0");
	await people.removeUser("acme", "u1500");
	const [first] = await people.users();
	assert.deepEqual([first?.user, first?.roles, first?.created_at_ms], ["u1", [], 1]);
	assert.equal(new Set(await names()).size, 2_000);
});
