import type { Kysely } from "kysely";

/** What stands in the lock for what a version runs: a version can be gone back to exactly. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema.alterTable("versions").addColumn("locked", "text").execute();
}
