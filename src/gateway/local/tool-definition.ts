import type { CatalogItem } from "../../catalog/server-catalog.ts";
import type { GatewayContext } from "../context.ts";

/** By the list of a catalog, which is never changed: a newer one takes its place. */
const indexes = new WeakMap<readonly CatalogItem[], ReadonlyMap<string, Buffer>>();

/**
 * Raw JSON of the definition of a tool, as its server last listed it. Undefined as long as
 * that is not known: nobody is asked and nothing is started.
 * @param tool the tool's own name at the server
 */
export function toolDefinition(
	server: string,
	tool: string | undefined,
	context: Pick<GatewayContext, "catalogs">,
): Buffer | undefined {
	const tools = context.catalogs.get(server)?.tools;
	if (tools === undefined || tool === undefined) return undefined;
	let index = indexes.get(tools);
	if (index === undefined) {
		index = new Map(tools.map(({ name, bytes }) => [name, bytes]));
		indexes.set(tools, index);
	}
	return index.get(tool);
}
