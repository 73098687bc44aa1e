import type { Kysely } from "kysely";

/** What servers asked of the network, and how much of it was forgotten for want of room. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("egress_hosts")
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("outcome", "text", (column) => column.notNull())
		.addColumn("host", "text", (column) => column.notNull())
		.addColumn("port", "integer", (column) => column.notNull())
		.addColumn("count", "bigint", (column) => column.notNull())
		.addColumn("first_at_ms", "bigint", (column) => column.notNull())
		.addColumn("last_at_ms", "bigint", (column) => column.notNull())
		.addPrimaryKeyConstraint("egress_hosts_key", ["server", "outcome", "host", "port"])
		.execute();
	await db.schema
		.createTable("egress_forgotten")
		.addColumn("server", "text", (column) => column.notNull())
		.addColumn("outcome", "text", (column) => column.notNull())
		.addColumn("count", "bigint", (column) => column.notNull())
		.addPrimaryKeyConstraint("egress_forgotten_key", ["server", "outcome"])
		.execute();
}
