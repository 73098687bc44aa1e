import type { Catalogs } from "../catalog/catalogs.ts";
import { type CatalogItem, type ItemKind, item_kinds } from "../catalog/server-catalog.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Principal } from "../identity/principal.ts";
import type { ListedKind } from "../policy/check.ts";

/** A server that somebody may use, with the tools of it that they may see. */
export interface MyServer {
	readonly name: string;
	/** MCP address. */
	readonly url: string;
	readonly tools: string[];
}

const kinds: Readonly<Record<ItemKind, ListedKind>> = {
	tools: "tool",
	resources: "resource",
	templates: "resource",
	prompts: "prompt",
};

/** What somebody may use. Of a server of which all is hidden from them nothing is told. */
export function myServers(
	{ catalogs, gateway, url }: { catalogs: Catalogs; gateway: Gateway; url: string },
	principal: Principal,
): MyServer[] {
	const { context, endpoints } = gateway;
	const single = [...endpoints.values()].filter(({ kind }) => kind === "single");
	return single.flatMap(({ name, path }) => {
		const known = catalogs.get(name);
		const seen = (list: ItemKind) => (item: CatalogItem) =>
			context.mayList(principal, {
				endpoint: name,
				server: name,
				kind: kinds[list],
				name: item.name,
			});
		const tools = known?.tools.filter(seen("tools")).map((tool) => tool.name) ?? [];
		const mine = { name, url: url + path, tools };
		if (known === undefined || tools.length > 0) return [mine];
		const lists = item_kinds.filter((list) => known[list].length > 0);
		// Of a server that offers nothing, nothing is hidden.
		return lists.length === 0 || lists.some((list) => known[list].some(seen(list))) ? [mine] : [];
	});
}
