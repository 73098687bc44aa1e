import type { Kysely } from "kysely";

/** Versions of servers, which one of them a server is held at, and forks. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("versions")
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("number", "integer", (column) => column.notNull())
		.addColumn("fingerprint", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("source", "text", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("reason", "text")
		.addColumn("identity", "text")
		.addColumn("changes", "text", (column) => column.notNull())
		.addColumn("plan", "text", (column) => column.notNull())
		.addPrimaryKeyConstraint("versions_key", ["server", "number"])
		.execute();
	await db.schema
		.createTable("version_pins")
		.addColumn("server", "text", (column) => column.primaryKey().notNull())
		.addColumn("number", "integer", (column) => column.notNull())
		.addColumn("config_fingerprint", "text", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("forks")
		.addColumn("name", "text", (column) => column.primaryKey().notNull())
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("plan", "text", (column) => column.notNull())
		.execute();
}
