import type { Peer } from "./peer.ts";

/** Which era a client or a server of the matrix speaks. */
export type Era = "legacy" | "modern";

/** The columns' clients, by the names the table shows. */
export const client_kinds = [
	"SDK 1.x",
	"SDK 2.x legacy",
	"SDK 2.x modern",
	"HTTP+SSE",
	"stdio bridge",
] as const;
export type ClientKind = (typeof client_kinds)[number];

/** The columns' servers. */
export const server_kinds = [
	"stdio legacy",
	"stdio modern",
	"HTTP legacy",
	"HTTP modern",
	"SSE",
] as const;
export type ServerKind = (typeof server_kinds)[number];

/** The era each server speaks; it speaks no other. */
export const server_eras: Readonly<Record<ServerKind, Era>> = {
	"stdio legacy": "legacy",
	"stdio modern": "modern",
	"HTTP legacy": "legacy",
	"HTTP modern": "modern",
	SSE: "legacy",
};

/** The result of one cell. */
export interface Cell {
	readonly feature: string;
	readonly client: ClientKind;
	readonly server: ServerKind;
	readonly status: "pass" | "fail" | "ruled-out";
	/** What failed, or the section of the specification that rules the cell out; else empty. */
	readonly why: string;
}

/** What a feature is tried with. */
export interface Trial {
	readonly peer: Peer;
	readonly server: ServerKind;
	readonly server_era: Era;
	/** Unlike that of any other trial. */
	readonly key: string;
	/** Waits for all trials at this server that take part; true for the last to arrive. */
	arrive(): Promise<boolean>;
}

/** One row of the matrix. */
export interface Feature {
	readonly name: string;
	/** Rejects when the feature does not work. */
	run(trial: Trial): Promise<void>;
	/** For pairs whose revisions lack the feature. */
	readonly ruling?: Ruling;
}

/** Why some pairs cannot have a feature, and the proof that asking for it ends cleanly. */
export interface Ruling {
	/** The section of the specification, for a pair that lacks the feature. */
	why(client: Era, server: Era): string | undefined;
	/** Rejects when the refusal is anything but the protocol's own error. */
	refused(trial: Trial): Promise<void>;
}
