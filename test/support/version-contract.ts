import assert from "node:assert/strict";
import { it } from "node:test";
import type { StoredRollout, StoredVersion } from "../../src/store/version-repository.ts";
import type { ContractStore } from "./store-samples.ts";

function version(server: string, number: number, change: Partial<StoredVersion> = {}) {
	return {
		server,
		number,
		fingerprint: `f${number}`,
		created_at_ms: 1_790_000_000_000 + number,
		source: "config",
		state: "retired",
		reason: undefined,
		identity: undefined,
		locked: undefined,
		changes: [],
		plan: "sealed",
		...change,
	} satisfies StoredVersion;
}

/** What every kind of database must do with versions, pins and forks. */
export function versionContract(current: () => ContractStore): void {
	it("gives versions back by server and number, every field as it was", async () => {
		const { versions } = current().repositories;
		const full = version("files", 2, {
			source: "promote",
			state: "failed",
			reason: 'It says "no".',
			identity: '{"name":"x"}',
			locked: '{"key":"npm:x"}',
			changes: ['tool "a" was removed', "ü"],
		});
		await versions.save(version("time", 1));
		await versions.save(full);
		await versions.save(version("files", 1));
		assert.deepEqual(await versions.load(), [version("files", 1), full, version("time", 1)]);
	});

	it("a version is saved again in its own place", async () => {
		const { versions } = current().repositories;
		await versions.save(version("files", 1, { state: "trial" }));
		await versions.save(version("files", 1, { state: "active" }));
		assert.deepEqual(await versions.load(), [version("files", 1, { state: "active" })]);
	});

	it("old versions of one server are removed, those of others stay", async () => {
		const { versions } = current().repositories;
		for (const number of [1, 2, 3]) await versions.save(version("files", number));
		await versions.save(version("time", 1));
		await versions.removeUpTo("files", 2);
		assert.deepEqual(await versions.load(), [version("files", 3), version("time", 1)]);
	});

	it("a server has at most one pin", async () => {
		const { versions } = current().repositories;
		await versions.savePin({ server: "files", number: 1, config_fingerprint: "a" });
		const pin = { server: "files", number: 2, config_fingerprint: "b" };
		await versions.savePin(pin);
		assert.deepEqual(await versions.pins(), [pin]);
		await versions.removePin("files");
		await versions.removePin("files");
		assert.deepEqual(await versions.pins(), []);
	});

	it("forks are kept by their names", async () => {
		const { versions } = current().repositories;
		const fork = (name: string) => ({ name, server: "files", created_at_ms: 5, plan: "sealed" });
		await versions.saveFork(fork("b"));
		await versions.saveFork(fork("a"));
		await versions.saveFork(fork("a"));
		assert.deepEqual(await versions.forks(), [fork("a"), fork("b")]);
		await versions.removeFork("a");
		assert.deepEqual(await versions.forks(), [fork("b")]);
	});

	it("keeps one rollout a server, every field as it was, until it is removed", async () => {
		const { versions } = current().repositories;
		const rollout: StoredRollout = {
			server: "files",
			number: 3,
			hold: true,
			percent: 0.5,
			watch_left_ms: 5_000_000_000,
			new_calls: 12,
			new_failed: 3,
			old_calls: 4_000_000_000,
			old_failed: 0,
		};
		await versions.saveRollout({ ...rollout, number: 2, hold: false });
		await versions.saveRollout({ ...rollout, server: "time" });
		await versions.saveRollout(rollout);
		assert.deepEqual(await versions.rollouts(), [rollout, { ...rollout, server: "time" }]);
		await versions.removeRollout("files");
		assert.deepEqual(await versions.rollouts(), [{ ...rollout, server: "time" }]);
	});
}
