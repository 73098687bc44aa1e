import type { Long } from "./tables.ts";

/** The tables of upstream authorization. */
export interface GrantTables {
	upstream_grants: UpstreamGrantTable;
	upstream_clients: UpstreamClientTable;
}

/** An authorization to use a remote server; empty texts stand for the gateway itself. */
interface UpstreamGrantTable {
	tenant: string;
	user_name: string;
	server: string;
	issuer: string;
	/** Sealed JSON. */
	sealed: string;
	created_at_ms: Long;
	changed_at_ms: Long;
}

/** Who we are to an issuer; an empty `used_by` stands for every server. */
interface UpstreamClientTable {
	used_by: string;
	issuer: string;
	/** Sealed JSON. */
	sealed: string;
	created_at_ms: Long;
}
