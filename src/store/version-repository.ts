import type { Connection } from "./tables.ts";

/** Where a version came from. */
export type VersionSource = "config" | "deploy" | "promote";

/** What became of a version. */
export type VersionState =
	/** It is being started beside the one that takes the calls. */
	| "trial"
	/** It takes the calls, or a share of them while another still has the rest. */
	| "active"
	/** Another took its place. */
	| "retired"
	/** It could not take over: `reason` says why. */
	| "failed";

/** One immutable way of running a server, as it is kept. */
export interface StoredVersion {
	readonly server: string;
	/** Counts from 1, without gaps. */
	readonly number: number;
	readonly fingerprint: string;
	readonly created_at_ms: number;
	readonly source: VersionSource;
	readonly state: VersionState;
	/** Why it failed, or why another took over: a sentence. */
	readonly reason: string | undefined;
	/** What its package was resolved to: JSON; undefined where that is not known. */
	readonly identity: string | undefined;
	/** What stands in the lock for it: JSON; undefined where that is not known, or nothing does. */
	readonly locked: string | undefined;
	/** What it offers otherwise than the version before: sentences. */
	readonly changes: readonly string[];
	/** The server's plan, sealed: it holds the environment of the server. */
	readonly plan: string;
}

/** A server that is held at a version though the configuration says otherwise. */
export interface StoredPin {
	readonly server: string;
	readonly number: number;
	/** Of the configuration it holds against; another configuration ends it. */
	readonly config_fingerprint: string;
}

/** A copy of a server, beside it. */
export interface StoredFork {
	readonly name: string;
	/** The server it is a copy of. */
	readonly server: string;
	readonly created_at_ms: number;
	/** Its plan, sealed. */
	readonly plan: string;
}

/** A new version on its way into the place of the old, and how far it is. */
export interface StoredRollout {
	readonly server: string;
	/** Of the version. */
	readonly number: number;
	/** It waits, once it is ready, for somebody to let it on. */
	readonly hold: boolean;
	/** Share of the calls it gets once it is ready. */
	readonly percent: number;
	/** How long its share is still to be watched. */
	readonly watch_left_ms: number;
	/** The calls of its share, and those that went to the old version meanwhile. */
	readonly new_calls: number;
	readonly new_failed: number;
	readonly old_calls: number;
	readonly old_failed: number;
}

/** Keeps versions, pins, forks and rollouts. Failures of the database reject. */
export interface VersionRepository {
	/** All versions, by server and number. */
	load(): Promise<StoredVersion[]>;
	/** Stores a version in place of the one of its number. */
	save(version: StoredVersion): Promise<void>;
	/** Removes the versions of a server up to a number. */
	removeUpTo(server: string, number: number): Promise<void>;
	pins(): Promise<StoredPin[]>;
	savePin(pin: StoredPin): Promise<void>;
	removePin(server: string): Promise<void>;
	forks(): Promise<StoredFork[]>;
	saveFork(fork: StoredFork): Promise<void>;
	removeFork(name: string): Promise<void>;
	rollouts(): Promise<StoredRollout[]>;
	/** Stores a rollout in place of the one of its server. */
	saveRollout(rollout: StoredRollout): Promise<void>;
	removeRollout(server: string): Promise<void>;
}

/** Versions in the tables `versions`, `version_pins`, `forks` and `rollouts`. */
export class SqlVersionRepository implements VersionRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async load(): Promise<StoredVersion[]> {
		const rows = await this.#db
			.selectFrom("versions")
			.selectAll()
			.orderBy("server")
			.orderBy("number")
			.execute();
		return rows.map((row) => ({
			...row,
			created_at_ms: Number(row.created_at_ms),
			source: row.source as VersionSource,
			state: row.state as VersionState,
			reason: row.reason ?? undefined,
			identity: row.identity ?? undefined,
			locked: row.locked ?? undefined,
			changes: JSON.parse(row.changes) as string[],
		}));
	}

	async save(version: StoredVersion): Promise<void> {
		const { server, number, ...rest } = version;
		const values = {
			...rest,
			reason: rest.reason ?? null,
			identity: rest.identity ?? null,
			locked: rest.locked ?? null,
			changes: JSON.stringify(rest.changes),
		};
		await this.#db
			.insertInto("versions")
			.values({ server, number, ...values })
			.onConflict((conflict) => conflict.columns(["server", "number"]).doUpdateSet(values))
			.execute();
	}

	async removeUpTo(server: string, number: number): Promise<void> {
		await this.#db
			.deleteFrom("versions")
			.where("server", "=", server)
			.where("number", "<=", number)
			.execute();
	}

	async pins(): Promise<StoredPin[]> {
		const rows = await this.#db.selectFrom("version_pins").selectAll().orderBy("server").execute();
		return rows.map((row) => ({ ...row }));
	}

	async savePin({ server, ...values }: StoredPin): Promise<void> {
		await this.#db
			.insertInto("version_pins")
			.values({ server, ...values })
			.onConflict((conflict) => conflict.column("server").doUpdateSet(values))
			.execute();
	}

	async removePin(server: string): Promise<void> {
		await this.#db.deleteFrom("version_pins").where("server", "=", server).execute();
	}

	async forks(): Promise<StoredFork[]> {
		const rows = await this.#db.selectFrom("forks").selectAll().orderBy("name").execute();
		return rows.map((row) => ({ ...row, created_at_ms: Number(row.created_at_ms) }));
	}

	async saveFork({ name, ...values }: StoredFork): Promise<void> {
		await this.#db
			.insertInto("forks")
			.values({ name, ...values })
			.onConflict((conflict) => conflict.column("name").doUpdateSet(values))
			.execute();
	}

	async removeFork(name: string): Promise<void> {
		await this.#db.deleteFrom("forks").where("name", "=", name).execute();
	}

	async rollouts(): Promise<StoredRollout[]> {
		const rows = await this.#db.selectFrom("rollouts").selectAll().orderBy("server").execute();
		return rows.map((row) => ({
			...row,
			hold: row.hold === 1,
			watch_left_ms: Number(row.watch_left_ms),
			new_calls: Number(row.new_calls),
			new_failed: Number(row.new_failed),
			old_calls: Number(row.old_calls),
			old_failed: Number(row.old_failed),
		}));
	}

	async saveRollout({ server, ...rest }: StoredRollout): Promise<void> {
		const values = { ...rest, hold: rest.hold ? 1 : 0 };
		await this.#db
			.insertInto("rollouts")
			.values({ server, ...values })
			.onConflict((conflict) => conflict.column("server").doUpdateSet(values))
			.execute();
	}

	async removeRollout(server: string): Promise<void> {
		await this.#db.deleteFrom("rollouts").where("server", "=", server).execute();
	}
}
