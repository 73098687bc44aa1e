import type { Connection } from "./tables.ts";

/** An off switch that is on, as it is kept. */
export interface StoredKillSwitch {
	/** The target in one text; there is one switch for a target. */
	readonly id: string;
	readonly kind: string;
	/** What is switched off; undefined where the kind alone says it. */
	readonly name: string | undefined;
	/** A sentence, told to whoever is refused. */
	readonly reason: string;
	/** Id of the principal who set it. */
	readonly set_by: string;
	readonly set_at_ms: number;
	/** When it lifts itself; undefined: never. */
	readonly ends_at_ms: number | undefined;
}

/** Keeps off switches. Failures of the database reject. */
export interface KillSwitchRepository {
	/** All of them, oldest first. */
	load(): Promise<StoredKillSwitch[]>;
	/** Stores a switch in place of the one of its target. */
	save(kill_switch: StoredKillSwitch): Promise<void>;
	remove(id: string): Promise<void>;
}

/** Off switches in the table `kill_switches`. */
export class SqlKillSwitchRepository implements KillSwitchRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async load(): Promise<StoredKillSwitch[]> {
		const rows = await this.#db
			.selectFrom("kill_switches")
			.selectAll()
			.orderBy("set_at_ms")
			.orderBy("id")
			.execute();
		return rows.map((row) => ({
			...row,
			name: row.name ?? undefined,
			set_at_ms: Number(row.set_at_ms),
			ends_at_ms: row.ends_at_ms === null ? undefined : Number(row.ends_at_ms),
		}));
	}

	async save({ id, ...rest }: StoredKillSwitch): Promise<void> {
		const values = { ...rest, name: rest.name ?? null, ends_at_ms: rest.ends_at_ms ?? null };
		await this.#db
			.insertInto("kill_switches")
			.values({ id, ...values })
			.onConflict((conflict) => conflict.column("id").doUpdateSet(values))
			.execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("kill_switches").where("id", "=", id).execute();
	}
}
