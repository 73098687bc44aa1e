import { type ExposedItem, type MergedList, mergeLists } from "../../catalog/aggregate.ts";
import type { ServerCatalog } from "../../catalog/catalogs.ts";
import type { ItemKind } from "../../catalog/server-catalog.ts";
import type { ServerPlan } from "../../config/plan.ts";
import type { Fault } from "../../protocol/fault.ts";
import { name_separator } from "../../protocol/names.ts";
import type { Call } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";
import {
	type AbsentServer,
	type Asker,
	knownCatalogs,
	offeredNow,
	offeredTo,
} from "./known-catalog.ts";

/** A bundle's merged lists, made once for the catalogs they are made of. */
interface View {
	readonly catalogs: readonly ServerCatalog[];
	readonly lists: Map<ItemKind, MergedList>;
}

/** Of each endpoint, the views that were looked at last: people may be offered different things. */
const views = new WeakMap<Endpoint, View[]>();
/** Most views of one endpoint that are kept. */
const views_max = 16;

/** One merged list of a bundle, from catalogs that are known. */
export function mergedList(
	endpoint: Endpoint,
	kind: ItemKind,
	catalogs: readonly ServerCatalog[],
	context: GatewayContext,
): MergedList {
	const view = viewOf(endpoint, catalogs);
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

function viewOf(endpoint: Endpoint, catalogs: readonly ServerCatalog[]): View {
	const [only] = catalogs;
	if (only !== undefined && catalogs.length === 1) return ownView(endpoint, only);
	const known = views.get(endpoint) ?? [];
	const found = known.find(
		(view) =>
			view.catalogs.length === catalogs.length &&
			catalogs.every((catalog, position) => view.catalogs[position] === catalog),
	);
	if (found !== undefined) return found;
	const view: View = { catalogs, lists: new Map() };
	views.set(endpoint, [view, ...known.slice(0, views_max - 1)]);
	return view;
}

/** Of each endpoint and catalog, what that one alone offers there. */
const own_views = new WeakMap<Endpoint, WeakMap<ServerCatalog, View>>();

function ownView(endpoint: Endpoint, catalog: ServerCatalog): View {
	const known = own_views.get(endpoint) ?? new WeakMap<ServerCatalog, View>();
	own_views.set(endpoint, known);
	const view = known.get(catalog) ?? { catalogs: [catalog], lists: new Map() };
	known.set(catalog, view);
	return view;
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
	asker: Asker & Pick<Call, "client">,
): Promise<{ list: MergedList; absent: readonly AbsentServer[] }> {
	const { catalogs, absent } = await knownCatalogs(endpoint.servers, context, asker);
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
	asker: Asker & Pick<Call, "client">,
): Found | Promise<Found> {
	// Nearly every name says whose it is; the offers of all the others need not be looked at.
	const prefix = exposed.slice(0, Math.max(0, exposed.indexOf(name_separator)));
	const named = endpoint.servers.find(({ name }) => name === prefix);
	const offer = named === undefined ? undefined : offeredNow(asker.client, named, context);
	const own = offer && mergedList(endpoint, kind, [offer], context).find(exposed);
	if (own !== undefined) return foundIn(endpoint, own);
	const known = offeredCatalogs(endpoint, context, asker);
	const item = mergedList(endpoint, kind, known, context).find(exposed);
	if (item !== undefined) return foundIn(endpoint, item);
	const unknown = endpoint.servers.find(
		(server) =>
			exposed.startsWith(`${server.name}__`) &&
			offeredNow(asker.client, server, context) === undefined,
	);
	if (unknown === undefined) return { kind: "unknown" };
	return findLater(endpoint, kind, exposed, unknown, context, asker);
}

/** What is known to be offered to who asks. */
function offeredCatalogs(
	endpoint: Endpoint,
	context: GatewayContext,
	{ client }: Pick<Call, "client">,
): ServerCatalog[] {
	return endpoint.servers.flatMap((server) => offeredNow(client, server, context) ?? []);
}

async function findLater(
	endpoint: Endpoint,
	kind: "tools" | "prompts",
	exposed: string,
	server: ServerPlan,
	context: GatewayContext,
	asker: Asker & Pick<Call, "client">,
): Promise<Found> {
	const outcome = await offeredTo(asker, server, context);
	if (!outcome.ok) return { kind: "absent", fault: outcome.problem };
	const known = offeredCatalogs(endpoint, context, asker);
	const item = mergedList(endpoint, kind, known, context).find(exposed);
	return item === undefined ? { kind: "unknown" } : foundIn(endpoint, item);
}

function foundIn(endpoint: Endpoint, item: ExposedItem): Found {
	const server = endpoint.servers.find(({ name }) => name === item.server);
	if (server === undefined) return { kind: "unknown" };
	return { kind: "found", server, name: item.original };
}
