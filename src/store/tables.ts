import type { Kysely } from "kysely";

/**
 * The shape of the database, table by table, as the newest migration leaves it.
 * Whole numbers are read through `Number()`, because PostgreSQL hands out 64-bit ones as text.
 */
export interface Tables {
	catalogs: CatalogTable;
}

/** What a server offered when it was last asked; one row per server. */
export interface CatalogTable {
	server: string;
	fingerprint: string;
	fetched_at_ms: number;
	hash: string;
	body: string;
}

/** A connection or a transaction: repositories work on either. */
export type Connection = Kysely<Tables>;
