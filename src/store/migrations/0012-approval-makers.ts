import { type Kysely, sql } from "kysely";

/** Who really makes a call that waits for people; empty where that is its caller. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.alterTable("approvals")
		.addColumn("made_by", "text", (column) => column.notNull().defaultTo(""))
		.execute();
	// What somebody does in a person's name is not that person's own call.
	await db.schema.dropIndex("approvals_live").execute();
	await db.schema
		.createIndex("approvals_live")
		.unique()
		.on("approvals")
		.columns(["principal", "made_by", "server", "tool", "arguments_hash"])
		.where(sql<boolean>`state in ('pending', 'approved', 'running')`)
		.execute();
}
