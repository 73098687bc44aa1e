import { dirname, join } from "node:path";
import type { Plan } from "../config/plan.ts";

/**
 * The folder in which a lock belongs to a configuration. Files of other clients lie in folders of
 * theirs, where nobody expects ours.
 */
export function configFolder({ source }: Plan): string | undefined {
	return source.format === "moorage" && source.path ? dirname(source.path) : undefined;
}

/** Files that hold the secrets of all servers, so that no server may read them. */
export function secretFiles({ source }: Plan): string[] {
	return source.path === undefined ? [] : [source.path, join(dirname(source.path), ".env")];
}
