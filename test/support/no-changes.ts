import type { Changes } from "../../src/admin/contract.ts";

/** A plan of what applying a configuration would do, where it would do nothing. */
export const no_changes: Changes = Object.freeze({
	added: [],
	removed: [],
	changed: [],
	settings: [],
	held: [],
	forks: [],
	warnings: [],
});
