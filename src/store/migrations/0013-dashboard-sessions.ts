import type { Kysely } from "kysely";

interface Meta {
	meta: { key: string; value: string };
	dashboard_sessions: Row;
}

interface Row {
	readonly id: string;
	readonly hash: string;
	readonly principal: string;
	readonly created_at_ms: number;
	readonly expires_at_ms: number;
	readonly sealed: string;
}

const key = "dashboard_sessions";

/** Browsers in which people are signed in: one row each, where there was one value for all. */
export async function up(db: Kysely<unknown>): Promise<void> {
	await db.schema
		.createTable("dashboard_sessions")
		.addColumn("id", "text", (column) => column.primaryKey().notNull())
		.addColumn("hash", "text", (column) => column.notNull())
		.addColumn("principal", "text", (column) => column.notNull())
		.addColumn("created_at_ms", "bigint", (column) => column.notNull())
		.addColumn("expires_at_ms", "bigint", (column) => column.notNull())
		.addColumn("sealed", "text", (column) => column.notNull())
		.execute();
	const old = db as Kysely<Meta>;
	const kept = await old.selectFrom("meta").select("value").where("key", "=", key).execute();
	for (const { value } of kept) {
		for (const row of rowsOf(value)) {
			await old
				.insertInto("dashboard_sessions")
				.values(row)
				.onConflict((conflict) => conflict.column("id").doNothing())
				.execute();
		}
	}
	await old.deleteFrom("meta").where("key", "=", key).execute();
}

/** What cannot be read is let go of: whoever it was signs in again. */
function rowsOf(text: string): Row[] {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return [];
	}
	return Array.isArray(value) ? value.flatMap(rowOf) : [];
}

function rowOf(value: unknown): Row[] {
	if (typeof value !== "object" || value === null) return [];
	const { id, hash, principal, created_at_ms, expires_at_ms, sealed } = value as Partial<
		Record<string, unknown>
	>;
	const texts = [id, hash, principal, sealed].every((one) => typeof one === "string");
	const times = [created_at_ms, expires_at_ms].every(Number.isSafeInteger);
	if (!texts || !times) return [];
	return [{ id, hash, principal, created_at_ms, expires_at_ms, sealed } as Row];
}
