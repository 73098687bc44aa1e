import type { Long } from "./tables.ts";

/** What servers asked of the network. */
export interface EgressTables {
	egress_hosts: EgressHostTable;
	egress_forgotten: EgressForgottenTable;
}

/** One host and port that a server reached, or did not. */
export interface EgressHostTable {
	server: string;
	/** `used`, `refused` or `unproxied`. */
	outcome: string;
	host: string;
	port: number;
	count: Long;
	first_at_ms: Long;
	last_at_ms: Long;
}

/** How many hosts of a server are remembered no more. */
export interface EgressForgottenTable {
	server: string;
	outcome: string;
	count: Long;
}
