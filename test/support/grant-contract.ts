import assert from "node:assert/strict";
import { it } from "node:test";
import type { StoredGrant } from "../../src/store/grant-repository.ts";
import type { ContractStore } from "./store-samples.ts";

function grant(user: string, server: string, change: Partial<StoredGrant> = {}): StoredGrant {
	return {
		tenant: "acme",
		user,
		server,
		issuer: "https://login.example",
		sealed: "sealed",
		created_at_ms: 1_790_000_000_000,
		changed_at_ms: 1_790_000_000_001,
		...change,
	};
}

/** What every kind of database must do with authorizations at remote servers. */
export function grantContract(current: () => ContractStore): void {
	it("gives the grants of an owner at a server, the newest first, and nobody else's", async () => {
		const { grants } = current().repositories;
		const older = grant("ana", "notes");
		const newer = grant("ana", "notes", { issuer: "https://a.example", changed_at_ms: 1.8e12 });
		const others = [grant("bob", "notes"), grant("ana", "files")];
		for (const one of [older, newer, ...others]) await grants.put(one);
		assert.deepEqual(await grants.of({ tenant: "acme", user: "ana" }, "notes"), [newer, older]);
		assert.deepEqual(await grants.of({ tenant: "other", user: "ana" }, "notes"), []);
		assert.equal((await grants.list()).length, 4);
	});

	it("puts a grant in the place of the one before, and keeps when it was given first", async () => {
		const { grants } = current().repositories;
		const first = grant("ana", "notes");
		await grants.put(first);
		await grants.put({ ...first, sealed: "newer", created_at_ms: 1.9e12, changed_at_ms: 1.9e12 });
		const { created_at_ms } = first;
		const wanted = { ...first, sealed: "newer", created_at_ms, changed_at_ms: 1.9e12 };
		assert.deepEqual(await grants.list(), [wanted]);
	});

	it("removes the grants of one issuer, of one server, or all of an owner", async () => {
		const { grants } = current().repositories;
		const ana = { tenant: "acme", user: "ana" };
		const issuers = ["https://a.example", "https://b.example", "https://c.example"];
		for (const issuer of issuers) await grants.put(grant("ana", "notes", { issuer }));
		await grants.put(grant("ana", "files"));
		await grants.put(grant("bob", "notes"));
		assert.equal(await grants.remove(ana, "notes", "https://b.example"), 1);
		assert.equal(await grants.remove(ana, "notes"), 2);
		assert.equal(await grants.remove(ana, "notes"), 0);
		assert.equal(await grants.removeAll(ana), 1);
		assert.deepEqual(await grants.list(), [grant("bob", "notes")]);
	});

	it("keeps one registration for each issuer and those who use it", async () => {
		const { grants } = current().repositories;
		const client = { used_by: "", issuer: "https://a.example", sealed: "one", created_at_ms: 5 };
		const newer = { ...client, sealed: "two", created_at_ms: 6 };
		await grants.putClient(client);
		await grants.putClient({ ...client, used_by: "notes" });
		await grants.putClient(newer);
		assert.deepEqual(await grants.clients(""), [newer]);
		await grants.removeClient("", client.issuer);
		assert.deepEqual(await grants.clients(""), []);
		assert.equal((await grants.clients("notes")).length, 1);
	});
}
