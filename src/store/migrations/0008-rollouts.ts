import type { Kysely } from "kysely";

/** New versions of servers on their way into the place of the old, and how far they are. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("rollouts")
		.addColumn("server", "text", (column) => column.primaryKey().notNull())
		.addColumn("number", "integer", (column) => column.notNull())
		.addColumn("hold", "integer", (column) => column.notNull())
		.addColumn("percent", "real", (column) => column.notNull())
		.addColumn("watch_left_ms", "bigint", (column) => column.notNull())
		.addColumn("new_calls", "bigint", (column) => column.notNull())
		.addColumn("new_failed", "bigint", (column) => column.notNull())
		.addColumn("old_calls", "bigint", (column) => column.notNull())
		.addColumn("old_failed", "bigint", (column) => column.notNull())
		.execute();
}
