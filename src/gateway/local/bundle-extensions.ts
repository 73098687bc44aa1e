import type { ServerCatalog } from "../../catalog/catalogs.ts";
import { readJsonText } from "../../wire/object.ts";
import { tasks_extension } from "../bridge/task-ids.ts";

/** Skills (SEP-2640). */
export const skills_extension = "io.modelcontextprotocol/skills";

/**
 * Extensions that work at an address of several servers, because the gateway knows which names
 * and ids they carry. Others work at the address of their own server.
 */
const bundled_extensions = [skills_extension, tasks_extension, "io.modelcontextprotocol/ui"];

/** A server's settings of an extension; undefined when it does not have it. */
export function extensionOf(catalog: ServerCatalog, name: string): unknown {
	const own = readJsonText(catalog.capabilities) as { extensions?: Record<string, unknown> };
	return own.extensions?.[name];
}

/** What a bundle says it has: the settings are those of the first server that has it. */
export function mergedExtensions(catalogs: readonly ServerCatalog[]): Record<string, unknown> {
	const merged: Record<string, unknown> = {};
	for (const name of bundled_extensions) {
		const settings = catalogs.map((catalog) => extensionOf(catalog, name));
		const first = settings.find((one) => one !== undefined);
		if (first !== undefined) merged[name] = first;
	}
	return merged;
}
