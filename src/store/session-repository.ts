import type { Connection } from "./tables.ts";

/** A legacy client session as it is kept between runs. */
export interface StoredSession {
	readonly id: string;
	readonly endpoint: string;
	readonly principal: string;
	/** The protocol revision agreed on. */
	readonly revision: string;
	/** Raw JSON objects, as the client wrote them. */
	readonly client_capabilities: string;
	readonly client_info: string;
	readonly created_at_ms: number;
	readonly used_at_ms: number;
	readonly log_level: string | undefined;
	/** Resource uris the client subscribed to. */
	readonly subscriptions: readonly string[];
}

/** What may change while a session lives, apart from when it was last used. */
export type SessionState = Pick<StoredSession, "log_level" | "subscriptions">;

/** Keeps client sessions. Failures of the database reject. */
export interface SessionRepository {
	/** All sessions, the longest unused first. */
	load(): Promise<StoredSession[]>;
	insert(session: StoredSession): Promise<void>;
	/** Notes when a session was last used; one that is not there is no error. */
	touch(id: string, used_at_ms: number): Promise<void>;
	update(id: string, state: SessionState): Promise<void>;
	/** Removes a session with everything that hangs on it. */
	remove(id: string): Promise<void>;
}

/** Sessions in the table `sessions`. */
export class SqlSessionRepository implements SessionRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async load(): Promise<StoredSession[]> {
		const rows = await this.#db
			.selectFrom("sessions")
			.selectAll()
			.orderBy("used_at_ms")
			.orderBy("id")
			.execute();
		return rows.map((row) => ({
			...row,
			created_at_ms: Number(row.created_at_ms),
			used_at_ms: Number(row.used_at_ms),
			log_level: row.log_level ?? undefined,
			subscriptions: JSON.parse(row.subscriptions) as string[],
		}));
	}

	async insert(session: StoredSession): Promise<void> {
		await this.#db
			.insertInto("sessions")
			.values({
				id: session.id,
				endpoint: session.endpoint,
				principal: session.principal,
				revision: session.revision,
				client_capabilities: session.client_capabilities,
				client_info: session.client_info,
				created_at_ms: session.created_at_ms,
				used_at_ms: session.used_at_ms,
				log_level: session.log_level ?? null,
				subscriptions: JSON.stringify(session.subscriptions),
			})
			.execute();
	}

	async touch(id: string, used_at_ms: number): Promise<void> {
		await this.#db.updateTable("sessions").set({ used_at_ms }).where("id", "=", id).execute();
	}

	async update(id: string, state: SessionState): Promise<void> {
		await this.#db
			.updateTable("sessions")
			.set({
				log_level: state.log_level ?? null,
				subscriptions: JSON.stringify(state.subscriptions),
			})
			.where("id", "=", id)
			.execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("sessions").where("id", "=", id).execute();
	}
}
