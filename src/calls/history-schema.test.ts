import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { prepareHistory } from "./history-schema.ts";

/** How a database keeps what is temporary: 1 on the disk, 2 in memory. */
const tempStore = (db: DatabaseSync) => db.prepare("pragma temp_store").get()?.["temp_store"];

class Watched extends DatabaseSync {
	readonly seen: unknown[] = [];

	override exec(sql: string): void {
		if (sql === "begin immediate") this.seen.push(tempStore(this));
		super.exec(sql);
	}
}

test("an upgrade sorts on the disk, and what comes after it in memory", () => {
	const db = new Watched(":memory:");
	prepareHistory(db);
	assert.ok(db.seen.length > 0);
	assert.deepEqual([...new Set(db.seen)], [1]);
	assert.equal(tempStore(db), 2);
	db.close();
});
