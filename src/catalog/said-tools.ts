import type { CatalogItem } from "./server-catalog.ts";

/** What a tool says of itself. */
export interface SaidTool {
	readonly name: string;
	readonly annotations: Readonly<Record<string, unknown>>;
}

/** What the catalog of a server says of its tools. */
export function saidTools(items: readonly CatalogItem[]): SaidTool[] {
	return items.flatMap(({ bytes }) => {
		const tool = JSON.parse(bytes.toString()) as { name?: unknown; annotations?: unknown };
		if (typeof tool.name !== "string") return [];
		const said = typeof tool.annotations === "object" ? tool.annotations : null;
		return [{ name: tool.name, annotations: (said ?? {}) as Record<string, unknown> }];
	});
}
