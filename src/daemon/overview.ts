import type { Overview } from "../admin/contract.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan } from "../config/plan.ts";
import type { Endpoint } from "../gateway/endpoint.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { product } from "./product.ts";

/** What an overview is taken from. */
export interface OverviewSources {
	readonly url: string;
	readonly plan: Plan;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
	readonly endpoints: ReadonlyMap<string, Endpoint>;
	readonly sessions: number;
	readonly uptime_ms: number;
}

/** The gateway at a glance: what `moorage status` and `/api/status` show. */
export function overviewOf(sources: OverviewSources): Overview {
	const { url, plan, hosting, catalogs } = sources;
	const servers = hosting.statuses().map((status) => {
		const catalog = catalogs.get(status.name);
		const sandbox_notes = new Set(status.instances.flatMap((one) => one.sandbox?.notes ?? []));
		return {
			name: status.name,
			title: status.title,
			state: status.state,
			...(status.reason === undefined ? {} : { reason: status.reason }),
			...(status.code === undefined ? {} : { code: status.code }),
			tools: catalog?.tools.length ?? 0,
			resources: catalog?.resources.length ?? 0,
			prompts: catalog?.prompts.length ?? 0,
			url: `${url}/${status.name}/mcp`,
			...(sandbox_notes.size === 0 ? {} : { sandbox_notes: [...sandbox_notes] }),
		};
	});
	const bundles = [...sources.endpoints.values()].filter(({ kind }) => kind === "bundle");
	return {
		url,
		pid: process.pid,
		version: product.version,
		data: plan.data,
		...(plan.source.path === undefined ? {} : { config: plan.source.path }),
		uptime_ms: sources.uptime_ms,
		sessions: sources.sessions,
		servers,
		endpoints: bundles.map((endpoint) => ({
			name: endpoint.name,
			url: url + endpoint.path,
			servers: endpoint.servers.map(({ name }) => name),
		})),
	};
}
