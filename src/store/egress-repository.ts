import type { Connection } from "./tables.ts";

/** Whether connections were made, refused, or tried past the proxy. */
export type StoredOutcome = "used" | "refused" | "unproxied";

/** A host and port that a server asked for, as it is kept. */
export interface StoredEgressHost {
	readonly server: string;
	readonly outcome: StoredOutcome;
	readonly host: string;
	readonly port: number;
	readonly count: number;
	/** Wall-clock milliseconds. */
	readonly first_at_ms: number;
	readonly last_at_ms: number;
}

/** How many hosts of a server are remembered no more. */
export interface StoredForgotten {
	readonly server: string;
	readonly outcome: StoredOutcome;
	readonly count: number;
}

/** What is new about one server. */
export interface EgressChange {
	readonly server: string;
	/** `saved` is everything there is: the rest goes. */
	readonly whole: boolean;
	readonly saved: readonly Omit<StoredEgressHost, "server">[];
	readonly removed: readonly Pick<StoredEgressHost, "outcome" | "host" | "port">[];
	readonly forgotten: Readonly<Record<StoredOutcome, number>>;
}

/** Keeps what servers asked of the network. Failures of the database reject. */
export interface EgressRepository {
	/** Hosts of every server, those asked for longest ago first. */
	hosts(): Promise<StoredEgressHost[]>;
	forgotten(): Promise<StoredForgotten[]>;
	/** Stores a change; the same one twice does no more than once. */
	apply(change: EgressChange): Promise<void>;
	removeAll(server: string): Promise<void>;
}

/** Egress in the tables `egress_hosts` and `egress_forgotten`. */
export class SqlEgressRepository implements EgressRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async hosts(): Promise<StoredEgressHost[]> {
		const rows = await this.#db
			.selectFrom("egress_hosts")
			.selectAll()
			.orderBy("last_at_ms")
			.orderBy("server")
			.orderBy("host")
			.orderBy("port")
			.execute();
		return rows.map((row) => ({
			...row,
			outcome: row.outcome as StoredOutcome,
			count: Number(row.count),
			first_at_ms: Number(row.first_at_ms),
			last_at_ms: Number(row.last_at_ms),
		}));
	}

	async forgotten(): Promise<StoredForgotten[]> {
		const rows = await this.#db
			.selectFrom("egress_forgotten")
			.selectAll()
			.orderBy("server")
			.orderBy("outcome")
			.execute();
		return rows.map((row) => ({
			...row,
			outcome: row.outcome as StoredOutcome,
			count: Number(row.count),
		}));
	}

	async apply({ server, whole, saved, removed, forgotten }: EgressChange): Promise<void> {
		if (whole) await this.removeAll(server);
		for (const { outcome, host, port } of removed) {
			await this.#db
				.deleteFrom("egress_hosts")
				.where("server", "=", server)
				.where("outcome", "=", outcome)
				.where("host", "=", host)
				.where("port", "=", port)
				.execute();
		}
		for (const { outcome, host, port, ...values } of saved) {
			await this.#db
				.insertInto("egress_hosts")
				.values({ server, outcome, host, port, ...values })
				.onConflict((conflict) =>
					conflict.columns(["server", "outcome", "host", "port"]).doUpdateSet(values),
				)
				.execute();
		}
		for (const outcome of ["used", "refused", "unproxied"] as const) {
			const count = forgotten[outcome];
			if (count === 0) continue;
			await this.#db
				.insertInto("egress_forgotten")
				.values({ server, outcome, count })
				.onConflict((conflict) => conflict.columns(["server", "outcome"]).doUpdateSet({ count }))
				.execute();
		}
	}

	async removeAll(server: string): Promise<void> {
		await this.#db.deleteFrom("egress_hosts").where("server", "=", server).execute();
		await this.#db.deleteFrom("egress_forgotten").where("server", "=", server).execute();
	}
}
