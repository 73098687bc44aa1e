import type { ServerSpec } from "../config/plan.ts";

/** What exactly a server was resolved to: equal identities run the same bytes. */
export interface PackageIdentity {
	/** `program`: a command of the user's own. `remote` and `image` are known by their address. */
	readonly kind: "npm" | "pypi" | "program" | "image" | "remote";
	/** The package's name, the program's real path, or the address. */
	readonly name: string;
	/** The exact version; undefined where there is none to know. */
	readonly version: string | undefined;
	/** Checksum of the package as its registry gives it; undefined where there is none. */
	readonly integrity: string | undefined;
	/** Over everything that is run: `sha256-` and hexadecimal digits. */
	readonly digest: string;
}

/** What stands in the lock for what a server runs: enough to install the same bytes again. */
export interface Locked {
	readonly kind: "packages" | "images";
	/** What was asked for, as the lock names it. */
	readonly key: string;
	/** The entry of the lock: a JSON object. */
	readonly entry: string;
}

/** A server that can be run directly. */
export interface Resolved {
	readonly spec: ServerSpec;
	/** Undefined where what is run could not be looked at. */
	readonly identity: PackageIdentity | undefined;
	/** Absolute folders it must be able to read to run at all: its package, its runtime. */
	readonly needs: readonly string[];
	/** What a person should know of how it was resolved. */
	readonly notes: readonly string[];
	/** Undefined where nothing of it is locked. */
	readonly locked?: Locked | undefined;
}

/** A server that is run as it is written. */
export function asWritten(spec: ServerSpec): Resolved {
	return { spec, identity: undefined, needs: [], notes: [] };
}
