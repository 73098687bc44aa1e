import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { approvalContract, killSwitchContract } from "./approval-contract.ts";
import { egressContract } from "./egress-contract.ts";
import { eventContract } from "./event-contract.ts";
import { grantContract } from "./grant-contract.ts";
import { type ContractStore, sampleSession } from "./store-samples.ts";
import { versionContract } from "./version-contract.ts";

/** What every kind of database must do, repository by repository. */
export function storeContract(kind: string, open: () => Promise<ContractStore>): void {
	describe(`the store on ${kind}`, () => {
		let store: ContractStore;
		beforeEach(async () => {
			store = await open();
		});
		afterEach(() => store.close());
		const current = () => store;
		describe("catalogs", () => catalogContract(current));
		describe("meta values", () => metaContract(current));
		describe("sessions", () => sessionContract(current));
		describe("events", () => eventContract(current));
		describe("versions", () => versionContract(current));
		describe("off switches", () => killSwitchContract(current));
		describe("approvals", () => approvalContract(current));
		describe("grants", () => grantContract(current));
		describe("egress", () => egressContract(current));
		describe("transactions", () => transactionContract(current));
	});
}

function catalogContract(current: () => ContractStore): void {
	const catalog = (server: string, body = "{}") => ({
		server,
		fingerprint: "f1",
		fetched_at_ms: 1_790_000_000_123,
		hash: "h1",
		body,
	});

	it("loads nothing from an empty database", async () => {
		assert.deepEqual(await current().repositories.catalogs.load(), []);
	});

	it("loads what was saved, in the order of the servers' names", async () => {
		const { catalogs } = current().repositories;
		await catalogs.save(catalog("time"));
		await catalogs.save(catalog("files", '{"tools":["über", "\\u0000"]}'));
		assert.deepEqual(await catalogs.load(), [
			catalog("files", '{"tools":["über", "\\u0000"]}'),
			catalog("time"),
		]);
	});

	it("replaces a server's earlier catalog", async () => {
		const { catalogs } = current().repositories;
		await catalogs.save(catalog("time"));
		const newer = { ...catalog("time", "[]"), fingerprint: "f2", fetched_at_ms: 5, hash: "h2" };
		await catalogs.save(newer);
		assert.deepEqual(await catalogs.load(), [newer]);
	});

	it("removes one server's catalog and does not mind one that is not there", async () => {
		const { catalogs } = current().repositories;
		await catalogs.save(catalog("time"));
		await catalogs.save(catalog("files"));
		await catalogs.remove("time");
		await catalogs.remove("unknown");
		assert.deepEqual(await catalogs.load(), [catalog("files")]);
	});

	it("keeps a body of several megabytes", async () => {
		const { catalogs } = current().repositories;
		const large = catalog("large", JSON.stringify("x".repeat(5_000_000)));
		await catalogs.save(large);
		assert.deepEqual(await catalogs.load(), [large]);
	});
}

function metaContract(current: () => ContractStore): void {
	it("knows no value that was not set", async () => {
		assert.equal(await current().repositories.meta.get("a"), undefined);
	});

	it("returns the value that was set last", async () => {
		const { meta } = current().repositories;
		await meta.set("a", "1");
		await meta.set("a", "2");
		await meta.set("b", "");
		assert.equal(await meta.get("a"), "2");
		assert.equal(await meta.get("b"), "");
	});

	it("settles on the first value and keeps it", async () => {
		const { meta } = current().repositories;
		assert.equal(await meta.settle("owner", "first"), "first");
		assert.equal(await meta.settle("owner", "second"), "first");
		assert.equal(await meta.get("owner"), "first");
	});

	it("counts each key from one", async () => {
		const { meta } = current().repositories;
		assert.deepEqual([await meta.count("a"), await meta.count("a")], [1, 2]);
		assert.equal(await meta.count("b"), 1);
		for (let n = 3; n <= 12; n += 1) assert.equal(await meta.count("a"), n);
	});
}

function sessionContract(current: () => ContractStore): void {
	it("loads sessions as they were inserted, the longest unused first", async () => {
		const { sessions } = current().repositories;
		const late = sampleSession("a", { used_at_ms: 30, log_level: "info" });
		const early = sampleSession("b", { used_at_ms: 10, subscriptions: ["file:///ü", 'a"b'] });
		const middle = sampleSession("c", { used_at_ms: 20 });
		for (const session of [late, early, middle]) await sessions.insert(session);
		assert.deepEqual(await sessions.load(), [early, middle, late]);
	});

	it("refuses a second session of the same id", async () => {
		const { sessions } = current().repositories;
		await sessions.insert(sampleSession("a"));
		await assert.rejects(sessions.insert(sampleSession("a", { principal: "other" })));
		assert.deepEqual(await sessions.load(), [sampleSession("a")]);
	});

	it("changes the time of use and the state of one session only", async () => {
		const { sessions } = current().repositories;
		await sessions.insert(sampleSession("a"));
		await sessions.insert(sampleSession("b"));
		await sessions.touch("a", 1_790_000_060_000);
		await sessions.update("a", { log_level: "debug", subscriptions: ["u:1", "u:2"] });
		const changed = sampleSession("a", {
			used_at_ms: 1_790_000_060_000,
			log_level: "debug",
			subscriptions: ["u:1", "u:2"],
		});
		assert.deepEqual(await sessions.load(), [sampleSession("b"), changed]);
		await sessions.update("a", { log_level: undefined, subscriptions: [] });
		const [, cleared] = await sessions.load();
		assert.deepEqual(cleared, sampleSession("a", { used_at_ms: 1_790_000_060_000 }));
	});

	it("does not mind changing or removing a session that is not there", async () => {
		const { sessions } = current().repositories;
		await sessions.touch("x", 1);
		await sessions.update("x", { log_level: "debug", subscriptions: [] });
		await sessions.remove("x");
		assert.deepEqual(await sessions.load(), []);
	});

	it("removes one session only", async () => {
		const { sessions } = current().repositories;
		await sessions.insert(sampleSession("a"));
		await sessions.insert(sampleSession("b"));
		await sessions.remove("a");
		assert.deepEqual(await sessions.load(), [sampleSession("b")]);
	});
}

function transactionContract(current: () => ContractStore): void {
	it("keeps everything a transaction wrote when it succeeds", async () => {
		await current().transaction(async (within) => {
			await within.meta.set("a", "1");
			await within.sessions.insert(sampleSession("s"));
		});
		assert.equal(await current().repositories.meta.get("a"), "1");
		assert.equal((await current().repositories.sessions.load()).length, 1);
	});

	it("keeps nothing a transaction wrote when it fails", async () => {
		const failing = current().transaction(async (within) => {
			await within.meta.set("a", "1");
			throw new Error("no");
		});
		await assert.rejects(failing, /no/);
		assert.equal(await current().repositories.meta.get("a"), undefined);
	});

	it("does not mix what two transactions at once write", async () => {
		const failing = current().transaction(async (within) => {
			await within.meta.set("a", "1");
			await within.meta.set("b", "1");
			throw new Error("no");
		});
		const passing = current().transaction(async (within) => {
			await within.meta.set("c", "1");
		});
		await assert.rejects(failing, /no/);
		await passing;
		const { meta } = current().repositories;
		assert.deepEqual(
			[await meta.get("a"), await meta.get("b"), await meta.get("c")],
			[undefined, undefined, "1"],
		);
	});
}
