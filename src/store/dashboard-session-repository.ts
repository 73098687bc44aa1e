import type { Connection } from "./tables.ts";

/** A browser in which somebody is signed in, as it is kept. */
export interface StoredDashboardSession {
	readonly id: string;
	/** Of its token. */
	readonly hash: string;
	/** Id of the principal who signed in. */
	readonly principal: string;
	readonly created_at_ms: number;
	readonly expires_at_ms: number;
	/** What it stands for, sealed. */
	readonly sealed: string;
}

/** Keeps in which browsers people are signed in. Failures of the database reject. */
export interface DashboardSessionRepository {
	/** All of them, the oldest first. */
	load(): Promise<StoredDashboardSession[]>;
	add(session: StoredDashboardSession): Promise<void>;
	remove(ids: readonly string[]): Promise<void>;
}

/** As many ids in one statement: it stays short enough to be kept prepared. */
const ids_max = 100;

/** Sessions in the table `dashboard_sessions`. */
export class SqlDashboardSessionRepository implements DashboardSessionRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async load(): Promise<StoredDashboardSession[]> {
		const rows = await this.#db
			.selectFrom("dashboard_sessions")
			.selectAll()
			.orderBy("created_at_ms")
			.orderBy("id")
			.execute();
		return rows.map((row) => ({
			...row,
			created_at_ms: Number(row.created_at_ms),
			expires_at_ms: Number(row.expires_at_ms),
		}));
	}

	async add(session: StoredDashboardSession): Promise<void> {
		await this.#db.insertInto("dashboard_sessions").values(session).execute();
	}

	async remove(ids: readonly string[]): Promise<void> {
		for (let from = 0; from < ids.length; from += ids_max) {
			const some = ids.slice(from, from + ids_max);
			await this.#db.deleteFrom("dashboard_sessions").where("id", "in", some).execute();
		}
	}
}
