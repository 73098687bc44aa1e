import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { Kysely, type Transaction } from "kysely";
import { adaptDatabase, NodeSqliteDialect, statements_max } from "./sqlite-dialect.ts";

interface Things {
	things: { id: number; name: string; data: Uint8Array | null };
}

function setUp() {
	const raw = new DatabaseSync(":memory:");
	raw.exec("create table things (id integer primary key, name text not null unique, data blob)");
	return { raw, db: new Kysely<Things>({ dialect: new NodeSqliteDialect(raw) }) };
}

describe("the SQLite dialect", () => {
	it("inserts, returns, updates, selects and deletes", async () => {
		const { db } = setUp();
		const inserted = await db
			.insertInto("things")
			.values({ id: 7, name: "seven", data: Buffer.from([1, 2]) })
			.returning("id")
			.executeTakeFirstOrThrow();
		assert.equal(inserted.id, 7);
		const plain = await db
			.insertInto("things")
			.values({ id: 8, name: "eight", data: null })
			.executeTakeFirstOrThrow();
		assert.equal(plain.insertId, 8n);
		const updated = await db
			.updateTable("things")
			.set({ name: "acht" })
			.where("id", "=", 8)
			.executeTakeFirstOrThrow();
		assert.equal(updated.numUpdatedRows, 1n);
		const rows = await db.selectFrom("things").select(["id", "name"]).orderBy("id").execute();
		assert.deepEqual(
			rows.map((row) => [row.id, row.name]),
			[
				[7, "seven"],
				[8, "acht"],
			],
		);
		const deleted = await db.deleteFrom("things").executeTakeFirstOrThrow();
		assert.equal(deleted.numDeletedRows, 2n);
		await db.destroy();
	});

	it("tells of a full disk, though SQLite has ended the transaction itself", async () => {
		const { raw, db } = setUp();
		raw.exec("pragma max_page_count = 8");
		const filled = db.transaction().execute(async (transaction) => {
			const data = Buffer.alloc(100_000);
			await transaction.insertInto("things").values({ id: 1, name: "big", data }).execute();
		});
		await assert.rejects(filled, /database or disk is full/);
		await db.transaction().execute(async (transaction) => {
			await transaction.insertInto("things").values({ id: 2, name: "b", data: null }).execute();
		});
		assert.equal((await db.selectFrom("things").select("id").execute()).length, 1);
		await db.destroy();
	});

	it("streams rows while the same statement runs again", async () => {
		const { db } = setUp();
		for (const id of [1, 2, 3]) {
			await db
				.insertInto("things")
				.values({ id, name: `n${id}`, data: null })
				.execute();
		}
		const all = db.selectFrom("things").select("id").orderBy("id");
		const seen: number[] = [];
		for await (const row of all.stream()) seen.push(row.id);
		assert.deepEqual(seen, [1, 2, 3]);
		await db.destroy();
		const raw = adaptDatabase(setUp().raw);
		raw.prepare("insert into things values (1, 'a', null), (2, 'b', null)").run([]);
		const statement = raw.prepare("select id from things order by id");
		const cursor = statement.iterate([]);
		assert.equal((cursor.next().value as { id: number }).id, 1);
		assert.equal(statement.all([]).length, 2);
		assert.equal((cursor.next().value as { id: number }).id, 2);
		raw.close();
	});

	it("rolls back what changed tables and rows within a transaction", async () => {
		const { db, raw } = setUp();
		const failing = db.transaction().execute(async (transaction: Transaction<Things>) => {
			await transaction.schema.createTable("more").addColumn("id", "integer").execute();
			await transaction.insertInto("things").values({ id: 1, name: "a", data: null }).execute();
			throw new Error("no");
		});
		await assert.rejects(failing, /no/);
		const tables = raw.prepare("select name from sqlite_schema where type = 'table'").all();
		assert.deepEqual(
			tables.map((row) => row["name"]),
			["things"],
		);
		assert.equal(raw.prepare("select count(*) as n from things").get()?.["n"], 0);
		await db.destroy();
	});

	it("sees a column that was added after its statement was prepared", async () => {
		const { raw } = setUp();
		const adapted = adaptDatabase(raw);
		adapted.prepare("insert into things values (1, 'a', null)").run([]);
		const statement = adapted.prepare("select * from things");
		assert.deepEqual(Object.keys(statement.all([])[0] as object), ["id", "name", "data"]);
		raw.exec("alter table things add column extra integer");
		const [row] = adapted.prepare("select * from things").all([]);
		assert.deepEqual(Object.keys(row as object), ["id", "name", "data", "extra"]);
		adapted.close();
	});

	it("keeps statements prepared, the most recently used ones, up to its bound", () => {
		const adapted = adaptDatabase(new DatabaseSync(":memory:"));
		const texts = Array.from({ length: statements_max }, (_, n) => `select ${n}`);
		const first = texts.map((text) => adapted.prepare(text));
		assert.equal(adapted.prepare("select 0"), first[0]);
		adapted.prepare("select 'one more'");
		assert.equal(adapted.prepare("select 0"), first[0]);
		assert.notEqual(adapted.prepare("select 1"), first[1]);
		const long = `select '${"x".repeat(10_000)}'`;
		assert.notEqual(adapted.prepare(long), adapted.prepare(long));
		adapted.close();
	});

	it("hands an error of the database on with its code", async () => {
		const { db } = setUp();
		const insert = db.insertInto("things").values({ id: 1, name: "a", data: null });
		await insert.execute();
		await assert.rejects(insert.execute(), { code: "ERR_SQLITE_ERROR" });
		await db.destroy();
	});
});
