/** What rules look at beside calls: told by the rooms that know, at the moment they are asked. */
export interface AlertFacts {
	/** Servers that cannot be started, or that end again and again. */
	crashed(): readonly { readonly server: string; readonly reason: string }[];
	/** Credentials that stop working at a time that is known. Rejects where it cannot be read. */
	expiring(): Promise<readonly Expiring[]>;
	/** The disk with the data folder; undefined where the machine does not tell. */
	disk(): Promise<DiskUse | undefined>;
	/** Lines, entries and spans lost since the start, by where they were lost. */
	lost(): Readonly<Record<string, number>>;
}

/** A credential that stops working, or should not be used any longer. */
export interface Expiring {
	readonly kind: "key" | "secret" | "grant" | "certificate";
	readonly name: string;
	/** When it began, where that is known: of a short life people are told later. */
	readonly since_ms?: number;
	readonly expires_at_ms: number;
}

/** How full a disk is. */
export interface DiskUse {
	readonly path: string;
	readonly free_bytes: number;
	readonly total_bytes: number;
}
