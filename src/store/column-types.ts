import { type Kysely, SqliteAdapter } from "kysely";

/** The column type for bytes, which is the one the two databases name differently. */
export function bytesType(db: Kysely<unknown>): "blob" | "bytea" {
	return db.getExecutor().adapter instanceof SqliteAdapter ? "blob" : "bytea";
}
