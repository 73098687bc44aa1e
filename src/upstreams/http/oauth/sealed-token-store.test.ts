import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { QuietLog } from "../../../../test/support/quiet-log.ts";
import { SeededRandom } from "../../../../test/support/seeded-random.ts";
import { until } from "../../../../test/support/until.ts";
import { SecretBox } from "../../../secrets/box.ts";
import { SecretRedactor } from "../../../secrets/redactor.ts";
import { openDatabase } from "../../../store/database.ts";
import { type GrantRepository, SqlGrantRepository } from "../../../store/grant-repository.ts";
import { SealedTokenStore, type SealedTokenStoreOptions } from "./sealed-token-store.ts";
import type { Grant, GrantKey } from "./token-store.ts";

const ana: GrantKey = { tenant: "acme", user: "ana", server: "notes", about: "here" };
const issuer = "https://login.example";

function grant(number: number, change: Partial<Grant> = {}): Grant {
	return {
		issuer,
		resource: "https://notes.example/mcp",
		access_token: `access-token-${number}`,
		refresh_token: `refresh-token-${number}`,
		scopes: ["read"],
		renew_at_ms: 5,
		registration: undefined,
		...change,
	};
}

async function rig(t: TestContext) {
	const opened = await openDatabase({ path: ":memory:" });
	assert.ok(opened.ok);
	const database = opened.value;
	t.after(() => database.close());
	const repository = new SqlGrantRepository(database.connection);
	const clock = new FakeClock();
	const random = new SeededRandom(1);
	const log = new QuietLog();
	const replaced: string[] = [];
	const open = (rows: GrantRepository = repository, key = 1) => {
		const redactor = new SecretRedactor();
		const box = new SecretBox(Buffer.alloc(32, key), random);
		const onReplaced: SealedTokenStoreOptions["onReplaced"] = (_, before) =>
			void replaced.push(before.grant.access_token);
		const parts = { repository: rows, box, redactor, clock, log };
		const store = new SealedTokenStore({ ...parts, onReplaced });
		return { store, redactor };
	};
	return { repository, clock, log, replaced, open };
}

test("a grant is found again by its owner, server and address, and by nobody else", async (t) => {
	const { open } = await rig(t);
	await open().store.keep(ana, grant(1));
	const { store } = open();
	assert.deepEqual(await store.grants(ana), [grant(1)]);
	for (const other of [
		{ ...ana, user: "bob" },
		{ ...ana, tenant: "other" },
		{ ...ana, user: "" },
		{ ...ana, server: "files" },
		{ ...ana, about: "elsewhere" },
	]) {
		assert.deepEqual(await store.grants(other), []);
	}
});

test("there is one grant for each issuer, and it can be ended", async (t) => {
	const { store } = (await rig(t)).open();
	const other = grant(2, { issuer: "https://other.example" });
	await store.keep(ana, grant(1));
	await store.keep(ana, other);
	await store.keep(ana, grant(3));
	assert.deepEqual(new Set(await store.grants(ana)), new Set([grant(3), other]));
	await store.end(ana, issuer);
	assert.deepEqual(await store.grants(ana), [other]);
});

test("the issuer hears of what is replaced only where that was another client's", async (t) => {
	const { replaced, open } = await rig(t);
	const { store } = open();
	const elsewhere = { ...ana, about: "elsewhere" };
	await store.keep(ana, grant(1, { client_id: "us" }));
	await store.keep(elsewhere, grant(2, { client_id: "us" }));
	await store.close();
	assert.deepEqual(replaced, [], "with another address the client is the same");
	await store.keep(ana, grant(3, { client_id: "them" }));
	await store.close();
	assert.deepEqual(replaced, ["access-token-2"]);
});

test("registrations are kept by issuer, with their secrets", async (t) => {
	const { open } = await rig(t);
	const registration = {
		client_id: "us",
		client_secret: "a secret of ours",
		auth_method: "client_secret_basic",
		redirect_uri: "http://127.0.0.1:1/oauth/callback",
		expires_at_ms: 9,
	};
	await open().store.register("", issuer, registration);
	const { store, redactor } = open();
	assert.deepEqual(await store.registrations(""), { [issuer]: registration });
	await store.start();
	assert.equal(redactor.text("it is a secret of ours!"), "it is [redacted]!");
	await store.unregister("", issuer);
	assert.deepEqual(await store.registrations(""), {});
});

test("what stands in the store is sealed, and opens in its own place only", async (t) => {
	const { repository, open, log } = await rig(t);
	await open().store.keep(ana, grant(1));
	const [row] = await repository.list();
	assert.ok(row !== undefined);
	assert.doesNotMatch(JSON.stringify(row), /token-1|notes\.example/);
	await repository.put({ ...row, user: "bob" });
	assert.deepEqual(await open().store.grants({ ...ana, user: "bob" }), []);
	// With another key nothing can be read: it is said once, and asked for anew.
	const locked = open(repository, 2).store;
	await locked.start();
	assert.deepEqual(await locked.grants(ana), []);
	assert.match(log.lines.at(-1)?.message ?? "", /cannot be read any more/);
});

test("tokens are redacted from the start until two newer ones have come", async (t) => {
	const { open } = await rig(t);
	await open().store.keep(ana, grant(1));
	const { store, redactor } = open();
	assert.equal(redactor.text("access-token-1"), "access-token-1");
	await store.start();
	const shown = () => redactor.text("access-token-1 refresh-token-2 access-token-3");
	assert.match(shown(), /^\[redacted\] refresh/);
	await store.keep(ana, grant(2));
	assert.match(shown(), /^\[redacted\] \[redacted\] access/);
	await store.keep(ana, grant(3));
	assert.equal(shown(), "access-token-1 [redacted] [redacted]");
});

test("a secret of ours stays redacted for others when one person's grant is of another client", async (t) => {
	const { open } = await rig(t);
	const { store, redactor } = open();
	const registered = (client_id: string) => ({
		registration: {
			client_id,
			client_secret: `the secret of ${client_id}`,
			auth_method: undefined,
		},
	});
	const bob = { ...ana, user: "bob" };
	await store.keep(ana, grant(1, registered("first")));
	await store.keep(bob, grant(2, registered("first")));
	for (const number of [3, 4, 5]) await store.keep(ana, grant(number, registered("second")));
	assert.equal(redactor.text("the secret of first"), "[redacted]");
});

test("what the database does not take is used from memory, and written as soon as it can be", async (t) => {
	const { repository, clock, log, open } = await rig(t);
	let is_full = false;
	const failing = new Proxy(repository, {
		get(target, name: keyof GrantRepository) {
			if (is_full && (name === "put" || name === "remove")) {
				return () => Promise.reject(new Error("disk full"));
			}
			return target[name].bind(target);
		},
	});
	const { store } = open(failing);
	await store.keep(ana, grant(1));
	is_full = true;
	await store.keep(ana, grant(2));
	assert.deepEqual(await store.grants(ana), [grant(2)]);
	assert.deepEqual(await open().store.grants(ana), [grant(1)]);
	assert.match(log.lines.at(-1)?.message ?? "", /tried again/);
	is_full = false;
	await clock.advance(2_000);
	await until(() => log.lines.length === 1);
	await store.close();
	assert.deepEqual(await open().store.grants(ana), [grant(2)]);
});

test("grants are listed with their owners, and all of an owner at a server are removed", async (t) => {
	const { store } = (await rig(t)).open();
	const bob = { ...ana, user: "bob" };
	await store.keep(ana, grant(1));
	await store.keep({ ...ana, about: "elsewhere" }, grant(2, { issuer: "https://other.example" }));
	await store.keep(bob, grant(3));
	const owners = async () => (await store.list()).map(({ owner }) => owner.user);
	assert.deepEqual(await owners(), ["ana", "ana", "bob"]);
	const removed = await store.revoke(ana);
	assert.equal(removed.removed, 2);
	const tokens = removed.grants.map(({ about, grant: { access_token } }) => [about, access_token]);
	assert.deepEqual(
		new Map(tokens as [string, string][]),
		new Map([
			["here", "access-token-1"],
			["elsewhere", "access-token-2"],
		]),
	);
	assert.deepEqual(await store.revoke(ana), { removed: 0, grants: [] });
	assert.deepEqual(await owners(), ["bob"]);
	assert.deepEqual(await store.grants(ana), []);
});
