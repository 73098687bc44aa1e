import assert from "node:assert/strict";
import type { Clock } from "../../src/lib/clock.ts";
import type { BatchTrouble } from "../../src/store/batch.ts";
import { openDatabase } from "../../src/store/database.ts";
import { createRepositories, createWriter } from "../../src/store/repositories.ts";

/** An open database with its repositories and a write-behind queue, for rooms above the store. */
export async function openTestStore(clock: Clock, path = ":memory:") {
	const opened = await openDatabase({ path });
	assert.ok(opened.ok, opened.ok ? "" : opened.problem.detail);
	const database = opened.value;
	const troubles: BatchTrouble[] = [];
	const writer = createWriter({ database, clock, onTrouble: (trouble) => troubles.push(trouble) });
	const repositories = createRepositories(database.connection);
	return { database, writer, repositories, troubles };
}

/** What `openTestStore` opens. */
export type TestStore = Awaited<ReturnType<typeof openTestStore>>;
