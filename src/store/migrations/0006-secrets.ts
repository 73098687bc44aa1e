import type { Kysely } from "kysely";

/** The vault: sealed values, and the sealed keys that they are sealed with. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("secret_keys")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("master_id", "text", (column) => column.notNull())
		.addColumn("sealed", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("secrets")
		.addColumn("tenant", "text", (column) => column.notNull())
		.addColumn("user_name", "text", (column) => column.notNull())
		.addColumn("name", "text", (column) => column.notNull())
		.addColumn("key_id", "text", (column) => column.notNull())
		.addColumn("sealed", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("changed_at_ms", "bigint", (column) => column.notNull())
		.addColumn("used_at_ms", "bigint")
		.addColumn("used_by", "text")
		.addPrimaryKeyConstraint("secrets_key", ["tenant", "user_name", "name"])
		.execute();
}
