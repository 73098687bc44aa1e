import assert from "node:assert/strict";
import { it } from "node:test";
import type { StoredApproval } from "../../src/store/approval-repository.ts";
import type { StoredKillSwitch } from "../../src/store/kill-switch-repository.ts";
import type { ContractStore } from "./store-samples.ts";

function kill(id: string, change: Partial<StoredKillSwitch> = {}): StoredKillSwitch {
	return {
		id,
		kind: "server",
		name: id,
		reason: "It sends what it should not.",
		set_by: "acme/ana",
		set_at_ms: 1_790_000_000_000,
		ends_at_ms: undefined,
		...change,
	};
}

/** What every kind of database must do with off switches. */
export function killSwitchContract(current: () => ContractStore): void {
	it("gives switches back oldest first, every field as it was", async () => {
		const { kill_switches } = current().repositories;
		const timed = kill("b", { ends_at_ms: 1_790_000_009_000, name: undefined, kind: "all" });
		await kill_switches.save(kill("a", { set_at_ms: 1_790_000_000_001 }));
		await kill_switches.save(timed);
		const later = kill("a", { set_at_ms: 1_790_000_000_001 });
		assert.deepEqual(await kill_switches.load(), [timed, later]);
	});

	it("there is one switch for a target, and a removed one is gone", async () => {
		const { kill_switches } = current().repositories;
		await kill_switches.save(kill("a"));
		await kill_switches.save(kill("a", { reason: "Ü" }));
		assert.deepEqual(await kill_switches.load(), [kill("a", { reason: "Ü" })]);
		await kill_switches.remove("a");
		await kill_switches.remove("a");
		assert.deepEqual(await kill_switches.load(), []);
	});
}

function approval(id: string, change: Partial<StoredApproval> = {}): StoredApproval {
	return {
		id,
		revision: 1,
		state: "pending",
		principal: "acme/ana",
		made_by: undefined,
		server: "files",
		tool: "delete",
		arguments_hash: "h",
		created_at_ms: 1_790_000_000_000,
		expires_at_ms: 1_790_000_600_000,
		ended_at_ms: undefined,
		body: "sealed",
		...change,
	};
}

/** What every kind of database must do with approvals. */
export function approvalContract(current: () => ContractStore): void {
	it("the same call has one live approval, and another one once that has ended", async () => {
		const { approvals } = current().repositories;
		assert.equal(await approvals.add(approval("a")), true);
		assert.equal(await approvals.add(approval("b")), false);
		assert.equal(await approvals.add(approval("c", { principal: "acme/bob" })), true);
		const made = approval("d", { made_by: "admin", created_at_ms: 1_790_000_000_002 });
		assert.equal(await approvals.add(made), true, "another makes it in the same name");
		assert.equal(await approvals.add({ ...made, id: "e" }), false);
		const ended = approval("a", { revision: 2, state: "denied", ended_at_ms: 1_790_000_000_009 });
		assert.equal(await approvals.change(ended), true);
		assert.equal(await approvals.add(approval("b")), true);
		assert.deepEqual(await approvals.last(approval("b")), ended);
		assert.equal(await approvals.last(approval("x", { tool: "other" })), undefined);
		assert.deepEqual(
			(await approvals.live()).map(({ id }) => id),
			["b", "c", "d"],
		);
		assert.deepEqual(await approvals.get("a"), ended);
		assert.deepEqual(await approvals.get("d"), made);
		assert.equal(await approvals.last(made), undefined, "what ended was another's");
		assert.equal(await approvals.get("nobody"), undefined);
	});

	it("a change is written only over the one it was made from", async () => {
		const { approvals } = current().repositories;
		await approvals.add(approval("a"));
		assert.equal(await approvals.change(approval("a", { revision: 2, body: "first" })), true);
		assert.equal(await approvals.change(approval("a", { revision: 2, body: "second" })), false);
		assert.equal(await approvals.change(approval("nobody", { revision: 2 })), false);
		assert.equal((await approvals.get("a"))?.body, "first");
	});

	it("the result of a call is kept until its time", async () => {
		const { approvals } = current().repositories;
		const first = { id: "a", kept_until_ms: 1_790_000_000_000, body: "first" };
		await approvals.keepResult(first);
		await approvals.keepResult({ ...first, id: "b", kept_until_ms: 1_790_000_000_001 });
		assert.deepEqual(await approvals.result("a"), first);
		await approvals.keepResult({ ...first, body: "second" });
		assert.equal((await approvals.result("a"))?.body, "second");
		await approvals.removeResultsBefore(1_790_000_000_001);
		assert.equal(await approvals.result("a"), undefined);
		assert.equal((await approvals.result("b"))?.body, "first");
	});

	it("the newest come first, and what ended long ago goes", async () => {
		const { approvals } = current().repositories;
		await approvals.add(approval("a", { state: "done", ended_at_ms: 5, created_at_ms: 1 }));
		await approvals.add(approval("b", { state: "done", ended_at_ms: 9, created_at_ms: 2 }));
		await approvals.add(approval("c", { created_at_ms: 3 }));
		const ids = async () => (await approvals.recent(2)).map(({ id }) => id);
		assert.deepEqual(await ids(), ["c", "b"]);
		await approvals.removeEndedBefore(9);
		assert.equal(await approvals.get("a"), undefined);
		assert.deepEqual(await ids(), ["c", "b"]);
	});
}
