import type { Kysely } from "kysely";

/** What calls came to that people had agreed to, for callers who ask about them later. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("approval_results")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("kept_until_ms", "bigint", (column) => column.notNull())
		.addColumn("body", "text", (column) => column.notNull())
		.execute();
}
