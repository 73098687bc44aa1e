import type { Connection } from "./tables.ts";

/** A server's catalog as it is kept between runs. */
export interface StoredCatalog {
	readonly server: string;
	/** The fingerprint of the configuration the catalog was fetched with. */
	readonly fingerprint: string;
	readonly fetched_at_ms: number;
	/** Hash over the body, to tell a change without comparing bodies. */
	readonly hash: string;
	/** The catalog itself; only its owner knows the format. */
	readonly body: string;
}

/** Keeps one catalog per server. Failures of the database reject. */
export interface CatalogRepository {
	/** All stored catalogs, in the order of their servers' names. */
	load(): Promise<StoredCatalog[]>;
	/** Stores a catalog in place of the server's earlier one. */
	save(catalog: StoredCatalog): Promise<void>;
	/** Removes a server's catalog; one that is not there is no error. */
	remove(server: string): Promise<void>;
}

/** Catalogs in the table `catalogs`. */
export class SqlCatalogRepository implements CatalogRepository {
	readonly #db: Connection;

	constructor(db: Connection) {
		this.#db = db;
	}

	async load(): Promise<StoredCatalog[]> {
		const rows = await this.#db.selectFrom("catalogs").selectAll().orderBy("server").execute();
		return rows.map((row) => ({ ...row, fetched_at_ms: Number(row.fetched_at_ms) }));
	}

	async save(catalog: StoredCatalog): Promise<void> {
		const { server, fingerprint, fetched_at_ms, hash, body } = catalog;
		await this.#db
			.insertInto("catalogs")
			.values({ server, fingerprint, fetched_at_ms, hash, body })
			.onConflict((conflict) =>
				conflict.column("server").doUpdateSet({ fingerprint, fetched_at_ms, hash, body }),
			)
			.execute();
	}

	async remove(server: string): Promise<void> {
		await this.#db.deleteFrom("catalogs").where("server", "=", server).execute();
	}
}
