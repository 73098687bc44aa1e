import {
	type CatalogItem,
	kind_of_list,
	offersKind,
	type ServerCatalog,
} from "../../catalog/server-catalog.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { passesGlobs } from "../../lib/glob.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { type ListMethod, list_methods } from "../../protocol/methods.ts";
import { memberSpan } from "../../wire/object.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { audienceOf, callerOf, scopeProblem } from "../scope.ts";
import { isVisible } from "./visible.ts";

/**
 * Answers a list of a single server that is asleep, without waking it: with the items as the
 * server wrote them, on one page. Undefined where the server has to be asked: it is awake,
 * something is wrong with it, a cursor of its own came back, or it is not known that it would
 * show just this to this client.
 */
export function sleepingList(
	call: Call,
	method: ListMethod,
	context: GatewayContext,
): Reply | undefined {
	const [server] = call.endpoint.servers;
	if (server === undefined || memberSpan(call.message.params, "cursor") !== undefined) {
		return undefined;
	}
	const { client } = call;
	if (scopeProblem(server, client) !== undefined) return undefined;
	const key = context.instanceKey(server, client);
	const catalog = context.catalogs.getFor(server.name, audienceOf(key));
	if (catalog === undefined || !isWhole(catalog, method, server)) return undefined;
	const seeking = { caller: callerOf(client), asker: client.session_id ?? call.id };
	if (!context.hosting.sleeps(key, seeking)) return undefined;
	const kept = catalog[kind_of_list[method]].filter(
		({ name }) =>
			(method !== "tools/list" || passesGlobs(server.tools, name)) &&
			isVisible(call, server.name, method, name, context),
	);
	return { kind: "result", json: listOf(catalog, method, kept, client.era === "modern") };
}

/** Whether the catalog has exactly what this server, configured as it is now, would list. */
function isWhole(catalog: ServerCatalog, method: ListMethod, { fingerprint }: ServerPlan): boolean {
	if (catalog.fingerprint !== fingerprint) return false;
	if (catalog.incomplete.includes(method) || catalog.inexact?.includes(method)) return false;
	return offersKind(catalog, kind_of_list[method]);
}

function listOf(
	catalog: ServerCatalog,
	method: ListMethod,
	kept: readonly CatalogItem[],
	modern: boolean,
): string {
	const items = kept.map(({ bytes }) => bytes.toString("utf8")).join(",");
	return `{"${list_methods[method]}":[${items}]${modern ? modernMembers(catalog) : ""}}`;
}

/** For how long a list may be kept is not known of a catalog; who answered is said as if awake. */
function modernMembers({ era, server_info }: ServerCatalog): string {
	const members = ',"resultType":"complete","ttlMs":0,"cacheScope":"private"';
	if (era === "modern") return members;
	return `${members},"_meta":{"${meta_keys.server_info}":${server_info}}`;
}
