/** A key that values are sealed with, itself sealed with the master key. */
export interface DataKeyRow {
	readonly id: string;
	/** Which master key it is sealed with, see `masterKeyId`. */
	readonly master_id: string;
	readonly sealed: string;
	readonly created_at_ms: number;
}

/** Whose a value is: everybody's, those of a tenant, or one person's. Empty texts stand for all. */
export interface SecretScope {
	readonly tenant: string;
	readonly user: string;
}

/** A sealed value. */
export interface SecretRow extends SecretScope {
	readonly name: string;
	/** The data key it is sealed with. */
	readonly key_id: string;
	readonly sealed: string;
	readonly created_at_ms: number;
	readonly changed_at_ms: number;
	/** When a server was given it last, and which one; undefined: never. */
	readonly used_at_ms: number | undefined;
	readonly used_by: string | undefined;
}

/** Where a vault keeps its rows. Failures of the database reject. */
export interface SecretRows {
	keys(): Promise<DataKeyRow[]>;
	addKey(key: DataKeyRow): Promise<void>;
	/** Puts these in the place of the keys of their ids, or adds them: all of them, or none. */
	replaceKeys(keys: readonly DataKeyRow[]): Promise<void>;
	/** Removes those of these keys that no value is sealed with; their ids. */
	removeUnusedKeys(ids: readonly string[]): Promise<string[]>;
	list(): Promise<SecretRow[]>;
	get(scope: SecretScope, name: string): Promise<SecretRow | undefined>;
	/** Stores a value in the place of the one of its name and scope. */
	put(row: SecretRow): Promise<void>;
	/** Puts a value that was sealed anew in the place of what it was, unless that is another now. */
	reseal(row: SecretRow, sealed_before: string): Promise<void>;
	/** False where there was none. */
	remove(scope: SecretScope, name: string): Promise<boolean>;
	used(scope: SecretScope, name: string, at_ms: number, by: string): Promise<void>;
}
