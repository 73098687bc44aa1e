import type { EndpointPlan, Plan, ServerPlan, ToolFilter } from "../config/plan.ts";

/**
 * A client-facing address. `single` is transparent: nothing is renamed. `bundle` merges
 * several servers and names their tools `server__tool`; `/mcp` is the bundle of all servers.
 */
export interface Endpoint {
	/** `mcp` for the combined address, else the server's or the bundle's name. */
	readonly name: string;
	/** Path of the MCP address, e.g. `/time/mcp`. */
	readonly path: string;
	readonly kind: "single" | "bundle";
	readonly servers: readonly ServerPlan[];
	/** Over exposed names for a bundle, over the server's own names for a single server. */
	readonly tools: ToolFilter;
}

/** Name of the endpoint over everything. */
export const combined_endpoint = "mcp";

const no_filter: ToolFilter = { allow: [], deny: [] };

/** All endpoints of a plan, by name. Built once per plan, replaced as a whole on reload. */
export function endpointsOf(plan: Plan): ReadonlyMap<string, Endpoint> {
	const endpoints = new Map<string, Endpoint>();
	endpoints.set(combined_endpoint, {
		name: combined_endpoint,
		path: "/mcp",
		kind: "bundle",
		servers: plan.servers,
		tools: no_filter,
	});
	for (const server of plan.servers) {
		endpoints.set(server.name, {
			name: server.name,
			path: `/${server.name}/mcp`,
			kind: "single",
			servers: [server],
			tools: server.tools,
		});
	}
	for (const bundle of plan.endpoints) endpoints.set(bundle.name, bundleOf(plan, bundle));
	return endpoints;
}

function bundleOf(plan: Plan, bundle: EndpointPlan): Endpoint {
	return {
		name: bundle.name,
		path: `/${bundle.name}/mcp`,
		kind: "bundle",
		servers: plan.servers.filter((server) => bundle.servers.includes(server.name)),
		tools: bundle.tools,
	};
}
