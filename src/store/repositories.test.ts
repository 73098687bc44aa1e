import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { storeContract } from "../../test/support/store-contract.ts";
import { type ContractStore, sampleSession } from "../../test/support/store-samples.ts";
import type { BatchTrouble } from "./batch.ts";
import { type Database, openDatabase } from "./database.ts";
import { gatewayOwner } from "./meta-repository.ts";
import { createRepositories, createWriter } from "./repositories.ts";

async function open(path: string): Promise<Database> {
	const opened = await openDatabase({ path });
	assert.ok(opened.ok);
	return opened.value;
}

function contractStore(database: Database, after: () => Promise<void>): ContractStore {
	return {
		repositories: createRepositories(database.connection),
		transaction: (work) =>
			database.transaction((connection) => work(createRepositories(connection))),
		async close() {
			await database.close();
			await after();
		},
	};
}

storeContract("SQLite in memory", async () =>
	contractStore(await open(":memory:"), async () => {}),
);

storeContract("an SQLite file", async () => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-store-"));
	const database = await open(join(folder, "moorage.db"));
	return contractStore(database, () => rm(folder, { recursive: true }));
});

describe("the owner id", () => {
	it("is drawn once and is the same for every later gateway on the database", async () => {
		const database = await open(":memory:");
		const { meta } = createRepositories(database.connection);
		const first = await gatewayOwner(meta, new SeededRandom(1));
		assert.match(first, /^[0-9a-f-]{36}$/);
		assert.equal(await gatewayOwner(meta, new SeededRandom(2)), first);
		await database.close();
	});
});

describe("the write-behind queue of a database", () => {
	it("runs writes in their order, in one transaction, after a few milliseconds", async () => {
		const database = await open(":memory:");
		const { meta, sessions } = createRepositories(database.connection);
		const clock = new FakeClock();
		const writer = createWriter({ database, clock, onTrouble: () => assert.fail() });
		writer.add((within) => within.sessions.insert(sampleSession("a")));
		writer.add((within) => within.sessions.remove("a"));
		writer.add((within) => within.meta.set("k", "1"));
		assert.equal(await meta.get("k"), undefined);
		await clock.advance(5);
		assert.equal(await meta.get("k"), "1");
		assert.deepEqual(await sessions.load(), []);
		await database.close();
	});

	it("gives up only the write that cannot succeed", async () => {
		const database = await open(":memory:");
		const { sessions } = createRepositories(database.connection);
		const troubles: BatchTrouble[] = [];
		const clock = new FakeClock();
		const writer = createWriter({ database, clock, onTrouble: (one) => troubles.push(one) });
		for (const id of ["a", "a", "b"]) {
			writer.add((within) => within.sessions.insert(sampleSession(id)));
		}
		await writer.flush();
		assert.deepEqual(
			(await sessions.load()).map((session) => session.id),
			["a", "b"],
		);
		assert.deepEqual(
			troubles.map(({ kind, items }) => ({ kind, items })),
			[{ kind: "failed", items: 1 }],
		);
		await database.close();
	});

	it("waits for another process that holds the file and then writes", async () => {
		const folder = await mkdtemp(join(tmpdir(), "moorage-store-"));
		const database = await open(join(folder, "moorage.db"));
		const other = await open(join(folder, "moorage.db"));
		const clock = new FakeClock();
		const kinds: string[] = [];
		const writer = createWriter({ database, clock, onTrouble: (one) => kinds.push(one.kind) });
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const holding = other.transaction(async (connection) => {
			await createRepositories(connection).meta.set("held", "yes");
			await held;
		});
		const committed = writer.addDurably((within) => within.meta.set("late", "yes"));
		await clock.advance(5);
		assert.equal(await committed, false);
		assert.deepEqual(kinds, ["delayed"]);
		release();
		await holding;
		await clock.advance(100);
		assert.equal(await createRepositories(database.connection).meta.get("late"), "yes");
		await Promise.all([database.close(), other.close()]);
		await rm(folder, { recursive: true });
	});
});
