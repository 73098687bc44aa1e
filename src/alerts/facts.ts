/** What rules look at beside calls: told by the rooms that know, at the moment they are asked. */
export interface AlertFacts {
	/** Servers that cannot be started, or that end again and again. */
	crashed(): readonly { readonly server: string; readonly reason: string }[];
	/** Keys, secrets and grants that stop working at a time that is known. */
	expiring(): readonly Expiring[];
	/** The disk with the data folder; undefined where the machine does not tell. */
	disk(): Promise<DiskUse | undefined>;
	/** Lines, entries and spans lost since the start, by where they were lost. */
	lost(): Readonly<Record<string, number>>;
}

/** Something that stops working. */
export interface Expiring {
	/** `key`, `secret`, `grant`, `certificate`, ... */
	readonly kind: string;
	readonly name: string;
	readonly expires_at_ms: number;
}

/** How full a disk is. */
export interface DiskUse {
	readonly path: string;
	readonly free_bytes: number;
	readonly total_bytes: number;
}
