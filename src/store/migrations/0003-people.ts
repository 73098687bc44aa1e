import type { Kysely } from "kysely";

/** People, their API keys, and what the authorization server keeps. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("users")
		.addColumn("tenant", "text", (column) => column.notNull())
		.addColumn("user", "text", (column) => column.notNull())
		.addColumn("display_name", "text")
		.addColumn("roles", "text", (column) => column.notNull())
		.addColumn("password_hash", "text")
		.addColumn("provider", "text")
		.addColumn("subject", "text")
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("login_at_ms", "bigint")
		.addPrimaryKeyConstraint("users_key", ["tenant", "user"])
		.addUniqueConstraint("users_subject", ["provider", "subject"])
		.execute();
	await db.schema
		.createTable("api_keys")
		.addColumn("name", "text", (column) => column.primaryKey().notNull())
		.addColumn("hash", "text", (column) => column.notNull().unique())
		.addColumn("tenant", "text", (column) => column.notNull())
		.addColumn("user", "text", (column) => column.notNull())
		.addColumn("roles", "text")
		.addColumn("scopes", "text")
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("expires_at_ms", "bigint")
		.addColumn("used_at_ms", "bigint")
		.execute();
	await db.schema
		.createTable("login_records")
		.addColumn("kind", "text", (column) => column.notNull())
		.addColumn("id", "text", (column) => column.notNull())
		.addColumn("body", "text", (column) => column.notNull())
		.addColumn("grant_id", "text")
		.addColumn("uid", "text")
		.addColumn("account", "text")
		.addColumn("client", "text")
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("expires_at_ms", "bigint")
		.addColumn("consumed_at_ms", "bigint")
		.addPrimaryKeyConstraint("login_records_key", ["kind", "id"])
		.execute();
	for (const column of ["grant_id", "uid", "account", "expires_at_ms"]) {
		await db.schema
			.createIndex(`login_records_${column}`)
			.on("login_records")
			.column(column)
			.execute();
	}
}
