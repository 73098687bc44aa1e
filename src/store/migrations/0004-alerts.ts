import type { Kysely } from "kysely";

/** What alerts are found from, alerts, silences, and what people still have to be told. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("call_aggregates")
		.addColumn("width", "text", (column) => column.notNull())
		.addColumn("kind", "text", (column) => column.notNull())
		.addColumn("start_ms", "bigint", (column) => column.notNull())
		.addColumn("subject", "text", (column) => column.notNull())
		.addColumn("calls", "bigint", (column) => column.notNull())
		.addColumn("errors", "bigint", (column) => column.notNull())
		.addColumn("latencies", "text", (column) => column.notNull())
		.addColumn("note", "text", (column) => column.notNull())
		.addPrimaryKeyConstraint("call_aggregates_key", ["width", "kind", "start_ms", "subject"])
		.execute();
	await db.schema
		.createTable("alerts")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("rule", "text", (column) => column.notNull())
		.addColumn("subject", "text", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("since_ms", "bigint", (column) => column.notNull())
		.addColumn("body", "text", (column) => column.notNull())
		.execute();
	await db.schema
		.createIndex("alerts_by_state")
		.on("alerts")
		.columns(["state", "since_ms"])
		.execute();
	await db.schema
		.createTable("alert_silences")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("rule", "text", (column) => column.notNull())
		.addColumn("subject", "text", (column) => column.notNull())
		.addColumn("until_ms", "bigint", (column) => column.notNull())
		.addColumn("reason", "text", (column) => column.notNull())
		.addColumn("created_by", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("alert_deliveries")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("alert_id", "text", (column) => column.notNull())
		.addColumn("channel", "text", (column) => column.notNull())
		.addColumn("body", "text", (column) => column.notNull())
		.addColumn("attempts", "integer", (column) => column.notNull())
		.addColumn("next_try_at_ms", "bigint", (column) => column.notNull())
		.addColumn("state", "text", (column) => column.notNull())
		.addColumn("problem", "text")
		.execute();
	await db.schema
		.createIndex("alert_deliveries_due")
		.on("alert_deliveries")
		.columns(["state", "next_try_at_ms"])
		.execute();
}
