import assert from "node:assert/strict";
import { it } from "node:test";
import type { ContractStore } from "./store-samples.ts";

const host = {
	outcome: "used",
	host: "api.example.com",
	port: 443,
	count: 4_000_000_000,
	first_at_ms: 1_790_000_000_001,
	last_at_ms: 1_790_000_000_002,
} as const;

const nothing = {
	whole: false,
	saved: [],
	removed: [],
	forgotten: { used: 0, refused: 0, unproxied: 0 },
};

/** What every kind of database must do with what servers asked of the network. */
export function egressContract(current: () => ContractStore): void {
	it("gives hosts back, those asked for longest ago first, every field as it was", async () => {
		const { egress } = current().repositories;
		const refused = { ...host, outcome: "refused", last_at_ms: 1_790_000_000_003 } as const;
		const unproxied = { ...host, outcome: "unproxied", last_at_ms: 1_790_000_000_004 } as const;
		const older = { ...host, host: "[::1]", last_at_ms: 1_790_000_000_001 } as const;
		await egress.apply({ ...nothing, server: "files", saved: [unproxied, refused, host] });
		await egress.apply({ ...nothing, server: "time", saved: [older] });
		assert.deepEqual(await egress.hosts(), [
			{ server: "time", ...older },
			{ server: "files", ...host },
			{ server: "files", ...refused },
			{ server: "files", ...unproxied },
		]);
	});

	it("saves a host again in its own place, and removes one alone", async () => {
		const { egress } = current().repositories;
		const other = { ...host, port: 80 };
		await egress.apply({ ...nothing, server: "files", saved: [host, other] });
		const change = { saved: [{ ...host, count: 2 }], removed: [other] };
		// The same change again, as after a failed commit, does no more.
		for (let time = 0; time < 2; time += 1) {
			await egress.apply({ ...nothing, server: "files", ...change });
		}
		assert.deepEqual(await egress.hosts(), [{ server: "files", ...host, count: 2 }]);
	});

	it("a whole change takes the place of everything of its server", async () => {
		const { egress } = current().repositories;
		const forgotten = { used: 3, refused: 5_000_000_000, unproxied: 0 };
		await egress.apply({ ...nothing, server: "files", saved: [host], forgotten });
		await egress.apply({ ...nothing, server: "time", saved: [host] });
		assert.deepEqual(await egress.forgotten(), [
			{ server: "files", outcome: "refused", count: 5_000_000_000 },
			{ server: "files", outcome: "used", count: 3 },
		]);
		const left = { ...host, port: 80 };
		const whole = { ...nothing, server: "files", whole: true, saved: [left] };
		await egress.apply({ ...whole, forgotten: { used: 4, refused: 0, unproxied: 0 } });
		assert.deepEqual(
			(await egress.hosts()).map(({ server, port }) => `${server} ${port}`),
			["files 80", "time 443"],
		);
		assert.deepEqual(await egress.forgotten(), [{ server: "files", outcome: "used", count: 4 }]);
		await egress.removeAll("files");
		assert.deepEqual(await egress.hosts(), [{ server: "time", ...host }]);
		assert.deepEqual(await egress.forgotten(), []);
	});
}
