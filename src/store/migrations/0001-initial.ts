import type { Kysely } from "kysely";
import { bytesType } from "../column-types.ts";

/** Meta values, catalogs, and sessions with their event streams. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("meta")
		.addColumn("key", "text", (column) => column.primaryKey().notNull())
		.addColumn("value", "text", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("catalogs")
		.addColumn("server", "text", (column) => column.primaryKey().notNull())
		.addColumn("fingerprint", "text", (column) => column.notNull())
		.addColumn("fetched_at_ms", "bigint", (column) => column.notNull())
		.addColumn("hash", "text", (column) => column.notNull())
		.addColumn("body", "text", (column) => column.notNull())
		.execute();
	await db.schema
		.createTable("sessions")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("endpoint", "text", (column) => column.notNull())
		.addColumn("principal", "text", (column) => column.notNull())
		.addColumn("revision", "text", (column) => column.notNull())
		.addColumn("client_capabilities", "text", (column) => column.notNull())
		.addColumn("client_info", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("used_at_ms", "bigint", (column) => column.notNull())
		.addColumn("log_level", "text")
		.addColumn("subscriptions", "text", (column) => column.notNull())
		.execute();
	await createStreams(db);
	await createEvents(db);
}

async function createStreams(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("session_streams")
		.addColumn("session_id", "text", (column) =>
			column.notNull().references("sessions.id").onDelete("cascade"),
		)
		.addColumn("stream", "text", (column) => column.notNull())
		.addColumn("run", "bigint", (column) => column.notNull())
		.addColumn("about", "text", (column) => column.notNull())
		.addColumn("opened_at_ms", "bigint", (column) => column.notNull())
		.addColumn("ended_at_ms", "bigint")
		.addColumn("dropped_seq", "bigint", (column) => column.notNull())
		.addPrimaryKeyConstraint("session_streams_key", ["session_id", "stream"])
		.execute();
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("session_events")
		.addColumn("session_id", "text", (column) => column.notNull())
		.addColumn("seq", "bigint", (column) => column.notNull())
		.addColumn("stream", "text", (column) => column.notNull())
		.addColumn("at_ms", "bigint", (column) => column.notNull())
		.addColumn("bytes", "integer", (column) => column.notNull())
		.addColumn("payload", bytesType(db), (column) => column.notNull())
		.addPrimaryKeyConstraint("session_events_key", ["session_id", "seq"])
		.addForeignKeyConstraint(
			"session_events_stream",
			["session_id", "stream"],
			"session_streams",
			["session_id", "stream"],
			(constraint) => constraint.onDelete("cascade"),
		)
		.execute();
	await db.schema
		.createIndex("session_events_by_stream")
		.on("session_events")
		.columns(["session_id", "stream", "seq"])
		.execute();
	await db.schema
		.createIndex("session_events_by_age")
		.on("session_events")
		.column("at_ms")
		.execute();
}
