import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { ApiKeys, hashApiKey } from "./api-keys.ts";
import { Passwords } from "./passwords.ts";
import { People, versionOf } from "./people.ts";

const password = "correct horse";

async function setUp(t: TestContext) {
	const clock = new FakeClock();
	const random = new SeededRandom(1);
	const store = await openTestStore(clock);
	t.after(() => store.database.close());
	const noted: string[] = [];
	const make = () =>
		new People({
			repository: store.repositories.people,
			passwords: new Passwords(random),
			clock,
			random,
			noteKeyUse: (name) => noted.push(name),
		});
	return { clock, noted, make, people: make() };
}

test("a person logs in with the name and password they were given", async (t) => {
	const { people, clock } = await setUp(t);
	const added = await people.addUser({ tenant: "acme", user: "ana", roles: ["admin"], password });
	assert.ok(added.ok);
	assert.equal((await people.login("ana", password))?.user, "ana");
	assert.equal((await people.login("acme/ana", password))?.login_at_ms, clock.now());
	assert.equal(await people.login("ana", "wrong horse"), undefined);
	assert.equal(await people.login("globex/ana", password), undefined);
	assert.equal(await people.login("nobody", password), undefined);
	assert.equal(await people.login("ana", `${password}${"x".repeat(2_000)}`), undefined);
});

test("a name that two tenants have needs its tenant", async (t) => {
	const { people } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: [], password });
	await people.addUser({ tenant: "globex", user: "ana", roles: [], password });
	assert.equal(await people.login("ana", password), undefined);
	assert.equal((await people.login("globex/ana", password))?.tenant, "globex");
});

test("whoever has no password logs in with none, not even an empty one", async (t) => {
	const { people } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: [] });
	assert.equal(await people.login("ana", ""), undefined);
});

test("people and keys are there again after a restart, and so is what was changed", async (t) => {
	const { people, make } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: [], password });
	await people.changeUser("acme", "ana", { roles: ["operator"], password: "another horse" });
	const made = await people.addKey({ name: "ci", tenant: "acme", user: "ana", scopes: ["a"] });
	assert.ok(made.ok);
	const again = make();
	await again.restore();
	assert.deepEqual(again.users(), people.users());
	assert.deepEqual(again.keys(), people.keys());
	assert.equal(await again.login("ana", password), undefined);
	assert.deepEqual((await again.login("ana", "another horse"))?.roles, ["operator"]);
});

test("what is no name, role or password is refused with a sentence", async (t) => {
	const { people } = await setUp(t);
	const refused = async (change: object) => {
		const outcome = await people.addUser({ tenant: "acme", user: "x", roles: [], ...change });
		return outcome.ok ? "" : outcome.problem.code;
	};
	for (const user of ["", "a/b", "a b", "-a", "é", "x".repeat(65), "a\n"]) {
		assert.equal(await refused({ user }), "invalid_request", user);
		assert.equal(await refused({ tenant: user }), "invalid_request", user);
	}
	assert.equal(await refused({ roles: ["a b"] }), "invalid_request");
	assert.equal(await refused({ password: "short" }), "invalid_request");
	assert.equal(await refused({ password: "x".repeat(1_025) }), "invalid_request");
	assert.deepEqual(people.users(), []);
	assert.equal(await refused({}), "");
	assert.equal(await refused({}), "user_exists");
});

test("a key of the store lets its holder in with their roles, until it is removed", async (t) => {
	const { people, clock } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: ["operator"] });
	const expires_at_ms = clock.now() + 1_000;
	const made = await people.addKey({ name: "ci", tenant: "acme", user: "ana", expires_at_ms });
	assert.ok(made.ok);
	const keys = new ApiKeys([], people);
	const digest = hashApiKey(made.value.key);
	const found = keys.identify(digest, clock.now());
	assert.ok(found?.ok);
	assert.equal(found.value.id, "acme/ana");
	assert.equal(found.value.client, "key:ci");
	assert.deepEqual(found.value.roles, ["operator"]);
	assert.equal(found.value.scopes, undefined);
	const late = keys.identify(digest, expires_at_ms);
	assert.equal(late?.ok === false && late.problem.code, "credential_expired");
	await people.removeKey("ci");
	assert.equal(keys.identify(digest, clock.now()), undefined);
});

test("a key's own roles and scopes win over its holder's", async (t) => {
	const { people, clock } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: ["admin"] });
	const given = { name: "ci", tenant: "acme", user: "ana", roles: [], scopes: ["billing"] };
	const made = await people.addKey(given);
	assert.ok(made.ok);
	const found = new ApiKeys([], people).identify(hashApiKey(made.value.key), clock.now());
	assert.ok(found?.ok);
	assert.deepEqual([found.value.roles, found.value.scopes], [[], ["billing"]]);
});

test("the last use of a key is written once a minute at most", async (t) => {
	const { people, clock, noted } = await setUp(t);
	await people.addKey({ name: "ci", tenant: "acme", user: "ana" });
	people.onKeyUsed("ci");
	people.onKeyUsed("ci");
	await clock.advance(61_000);
	people.onKeyUsed("ci");
	people.onKeyUsed("no such key");
	assert.deepEqual(noted, ["ci", "ci"]);
	assert.equal(people.keys()[0]?.used_at_ms, clock.now());
});

test("with a person go their keys", async (t) => {
	const { people, make } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: [], password });
	await people.addKey({ name: "hers", tenant: "acme", user: "ana" });
	await people.addKey({ name: "his", tenant: "acme", user: "bob" });
	assert.ok((await people.removeUser("acme", "ana")).ok);
	assert.equal(await people.login("ana", password), undefined);
	const again = make();
	await again.restore();
	for (const one of [people, again]) {
		assert.deepEqual(
			one.keys().map(({ name }) => name),
			["his"],
		);
	}
});

test("a person who is removed while their password is checked does not come back", async (t) => {
	const { people } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: [], password });
	const login = people.login("ana", password);
	await people.removeUser("acme", "ana");
	assert.equal(await login, undefined);
	assert.deepEqual(people.users(), []);
});

test("a role that is taken while a password is checked stays taken", async (t) => {
	const { people } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: ["admin"], password });
	const login = people.login("ana", password);
	await people.changeUser("acme", "ana", { roles: ["member"] });
	assert.deepEqual((await login)?.roles, ["member"]);
	assert.deepEqual(people.user("acme", "ana")?.roles, ["member"]);
});

test("of two changes made for the same person as they were, the second is refused", async (t) => {
	const { people } = await setUp(t);
	const added = await people.addUser({ tenant: "acme", user: "ana", roles: ["member"], password });
	assert.ok(added.ok);
	const read = versionOf(added.value);
	await people.login("ana", password);
	const [first, second] = await Promise.all([
		people.changeUser("acme", "ana", { roles: ["operator"] }, read),
		people.changeUser("acme", "ana", { display_name: "Ana" }, read),
	]);
	assert.ok(first.ok, "that somebody has logged in is no change");
	assert.ok((await people.changeUser("acme", "ana", {}, "*")).ok, "whoever is there fits a star");
	assert.equal(second.ok ? "" : second.problem.code, "edited_meanwhile");
	const now = people.user("acme", "ana");
	assert.deepEqual([now?.roles, now?.display_name], [["operator"], undefined]);
	const again = await people.changeUser(
		"acme",
		"ana",
		{ display_name: "Ana" },
		versionOf(first.value),
	);
	assert.deepEqual(again.ok && [again.value.roles, again.value.display_name], [
		["operator"],
		"Ana",
	]);
});

test("changes that are made at once are all kept", async (t) => {
	const { people, make } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: ["member"] });
	const outcomes = await Promise.all([
		people.changeUser("acme", "ana", { roles: ["operator"] }),
		people.changeUser("acme", "ana", { display_name: "Ana" }),
		people.addUser({ tenant: "acme", user: "bo", roles: ["admin"] }),
		people.addUser({ tenant: "acme", user: "bo", roles: ["member"] }),
	]);
	assert.deepEqual(
		outcomes.map(({ ok }) => ok),
		[true, true, true, false],
	);
	const again = make();
	await again.restore();
	assert.deepEqual(
		again.users().map(({ user, roles, display_name }) => [user, roles, display_name]),
		[
			["ana", ["operator"], "Ana"],
			["bo", ["admin"], undefined],
		],
	);
});

test("what is wrong about somebody is told with the part that it is about", async (t) => {
	const { people } = await setUp(t);
	const fieldOf = async (change: object) => {
		const given = { tenant: "acme", user: "x", roles: [], ...change };
		const outcome = await people.addUser(given);
		return outcome.ok ? undefined : outcome.problem.field;
	};
	assert.equal(await fieldOf({ user: "a b" }), "user");
	assert.equal(await fieldOf({ tenant: "a b" }), "tenant");
	assert.equal(await fieldOf({ roles: ["a b"] }), "roles");
	assert.equal(await fieldOf({ password: "short" }), "password");
	assert.equal(await fieldOf({}), undefined);
	assert.equal(await fieldOf({}), "user");
});

test("a provider's person is the same next time, whatever they are called then", async (t) => {
	const { people } = await setUp(t);
	const vouched = {
		provider: "okta",
		subject: "00u1",
		tenant: "acme",
		user: "ana",
		display_name: "Ana",
		roles: ["member"],
	};
	assert.ok((await people.admit(vouched)).ok);
	const again = await people.admit({ ...vouched, user: "ana.maria", roles: ["operator"] });
	assert.ok(again.ok);
	assert.deepEqual([again.value.user, again.value.roles], ["ana", ["operator"]]);
	assert.equal(people.users().length, 1);
	const moved = await people.admit({ ...vouched, tenant: "globex" });
	assert.ok(!moved.ok, "who has gone to another tenant keeps none of the rights of the old one");
	assert.match(moved.problem.message, /another tenant now/);
	assert.deepEqual(people.user("acme", "ana")?.roles, ["operator"]);
});

test("a provider cannot take over the name of somebody else", async (t) => {
	const { people } = await setUp(t);
	await people.addUser({ tenant: "acme", user: "ana", roles: ["admin"], password });
	const outcome = await people.admit({
		provider: "okta",
		subject: "00u1",
		tenant: "acme",
		user: "ana",
		display_name: undefined,
		roles: [],
	});
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.code, "user_exists");
	assert.deepEqual(people.user("acme", "ana")?.roles, ["admin"]);
});
