import { type ExposedItem, type MergedList, mergeLists } from "../../catalog/aggregate.ts";
import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ItemKind } from "../../catalog/server-catalog.ts";
import type { ServerPlan } from "../../config/plan.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { GatewayContext } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";
import { type AbsentServer, knownCatalog, knownCatalogs } from "./known-catalog.ts";

/** A bundle's merged lists, made once for the catalogs they are made of. */
interface View {
	readonly catalogs: readonly ServerCatalog[];
	readonly lists: Map<ItemKind, MergedList>;
}

const views = new WeakMap<Endpoint, View>();

/** One merged list of a bundle, from catalogs that are known. */
export function mergedList(
	endpoint: Endpoint,
	kind: ItemKind,
	catalogs: readonly ServerCatalog[],
	context: GatewayContext,
): MergedList {
	let view = views.get(endpoint);
	const same =
		view?.catalogs.length === catalogs.length &&
		catalogs.every((catalog, position) => view?.catalogs[position] === catalog);
	if (view === undefined || !same) {
		view = { catalogs, lists: new Map() };
		views.set(endpoint, view);
	}
	let list = view.lists.get(kind);
	if (list === undefined) {
		list = mergeLists(kind, partsOf(endpoint, catalogs), endpoint.tools);
		view.lists.set(kind, list);
		for (const name of list.collisions) {
			context.log.warn({ endpoint: endpoint.name, name }, "two servers claim one name");
		}
	}
	return list;
}

function partsOf(endpoint: Endpoint, catalogs: readonly ServerCatalog[]) {
	return catalogs.flatMap((catalog) => {
		const server = endpoint.servers.find(({ name }) => name === catalog.server);
		return server === undefined ? [] : [{ catalog, tools: server.tools }];
	});
}

/** One merged list of a bundle, and the servers it has to do without. */
export async function wholeList(
	endpoint: Endpoint,
	kind: ItemKind,
	context: GatewayContext,
	signal: AbortSignal,
): Promise<{ list: MergedList; absent: readonly AbsentServer[] }> {
	const { catalogs, absent } = await knownCatalogs(endpoint.servers, context, signal);
	return { list: mergedList(endpoint, kind, catalogs, context), absent };
}

/** What an exposed name leads to. */
export type Found =
	| { readonly kind: "found"; readonly server: ServerPlan; readonly name: string }
	| { readonly kind: "unknown" }
	/** The server it would be on cannot say. */
	| { readonly kind: "absent"; readonly fault: Fault };

/**
 * Finds what an exposed name means. Everything known is looked at first; a server that is not
 * known yet is only waited for when the name begins like its names do.
 */
export function findExposed(
	endpoint: Endpoint,
	kind: "tools" | "prompts",
	exposed: string,
	context: GatewayContext,
	signal: AbortSignal,
): Found | Promise<Found> {
	const known = endpoint.servers.flatMap(({ name }) => context.catalogs.get(name) ?? []);
	const item = mergedList(endpoint, kind, known, context).find(exposed);
	if (item !== undefined) return foundIn(endpoint, item);
	const unknown = endpoint.servers.find(
		({ name }) => context.catalogs.get(name) === undefined && exposed.startsWith(`${name}__`),
	);
	if (unknown === undefined) return { kind: "unknown" };
	return findLater(endpoint, kind, exposed, unknown, context, signal);
}

async function findLater(
	endpoint: Endpoint,
	kind: "tools" | "prompts",
	exposed: string,
	server: ServerPlan,
	context: GatewayContext,
	signal: AbortSignal,
): Promise<Found> {
	const outcome = await knownCatalog(server, context, signal);
	if (!outcome.ok) return { kind: "absent", fault: outcome.problem };
	const known = endpoint.servers.flatMap(({ name }) => context.catalogs.get(name) ?? []);
	const item = mergedList(endpoint, kind, known, context).find(exposed);
	return item === undefined ? { kind: "unknown" } : foundIn(endpoint, item);
}

function foundIn(endpoint: Endpoint, item: ExposedItem): Found {
	const server = endpoint.servers.find(({ name }) => name === item.server);
	if (server === undefined) return { kind: "unknown" };
	return { kind: "found", server, name: item.original };
}
