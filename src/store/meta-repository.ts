import type { Random } from "../lib/random.ts";
import type { Connection } from "./tables.ts";

/** Single values the gateway keeps about itself. Failures of the database reject. */
export interface MetaRepository {
	/** The value, or undefined when it was never set. */
	get(key: string): Promise<string | undefined>;
	set(key: string, value: string): Promise<void>;
	/** Sets the value unless there is one already; returns the one that stands. */
	settle(key: string, value: string): Promise<string>;
	/** Counts up by one and returns the new count; the first is 1. */
	count(key: string): Promise<number>;
}

/** The id of the gateway that owns this database: drawn once, the same ever after. */
export function gatewayOwner(meta: MetaRepository, random: Random): Promise<string> {
	return meta.settle("gateway_owner", random.uuid());
}

/** Values in the table `meta`. */
export class SqlMetaRepository implements MetaRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async get(key: string): Promise<string | undefined> {
		const row = await this.#db
			.selectFrom("meta")
			.select("value")
			.where("key", "=", key)
			.executeTakeFirst();
		return row?.value;
	}

	async set(key: string, value: string): Promise<void> {
		await this.#db
			.insertInto("meta")
			.values({ key, value })
			.onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
			.execute();
	}

	async settle(key: string, value: string): Promise<string> {
		await this.#db
			.insertInto("meta")
			.values({ key, value })
			.onConflict((conflict) => conflict.column("key").doNothing())
			.execute();
		return (await this.get(key)) ?? value;
	}

	async count(key: string): Promise<number> {
		const row = await this.#db
			.insertInto("meta")
			.values({ key, value: "1" })
			.onConflict((conflict) =>
				conflict.column("key").doUpdateSet((eb) => ({
					value: eb.cast<string>(eb(eb.cast<number>("meta.value", "integer"), "+", 1), "text"),
				})),
			)
			.returning("value")
			.executeTakeFirstOrThrow();
		return Number(row.value);
	}
}
