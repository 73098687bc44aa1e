import type { Kysely } from "kysely";

/** What people have authorized Moorage to use at remote servers, and what issuers know it as. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("upstream_grants")
		.addColumn("tenant", "text", (column) => column.notNull())
		.addColumn("user_name", "text", (column) => column.notNull())
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("issuer", "text", (column) => column.notNull())
		.addColumn("sealed", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("changed_at_ms", "bigint", (column) => column.notNull())
		.addPrimaryKeyConstraint("upstream_grants_key", ["tenant", "user_name", "server", "issuer"])
		.execute();
	await db.schema
		.createTable("upstream_clients")
		.addColumn("used_by", "text", (column) => column.notNull())
		.addColumn("issuer", "text", (column) => column.notNull())
		.addColumn("sealed", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addPrimaryKeyConstraint("upstream_clients_key", ["used_by", "issuer"])
		.execute();
}
