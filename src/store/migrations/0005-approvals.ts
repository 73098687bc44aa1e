import { type Kysely, sql } from "kysely";

/** Off switches, and calls that wait for a person's decision. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("kill_switches")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("kind", "text", (column) => column.notNull())
		.addColumn("name", "text")
		.addColumn("reason", "text", (column) => column.notNull())
		.addColumn("set_by", "text", (column) => column.notNull())
		.addColumn("set_at_ms", "bigint", (column) => column.notNull())
		.addColumn("ends_at_ms", "bigint")
		.execute();
	await db.schema
		.createTable("approvals")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("revision", "integer", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("principal", "text", (column) => column.notNull())
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("tool", "text", (column) => column.notNull())
		.addColumn("arguments_hash", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("expires_at_ms", "bigint", (column) => column.notNull())
		.addColumn("ended_at_ms", "bigint")
		.addColumn("body", "text", (column) => column.notNull())
		.execute();
	// The same call of the same person waits once, whatever runs at the same time.
	await db.schema
		.createIndex("approvals_live")
		.unique()
		.on("approvals")
		.columns(["principal", "server", "tool", "arguments_hash"])
		.where(sql<boolean>`state in ('pending', 'approved', 'running')`)
		.execute();
	await db.schema
		.createIndex("approvals_by_age")
		.on("approvals")
		.columns(["created_at_ms"])
		.execute();
}
