import { default_listen } from "../config/defaults.ts";
import { loadPlan } from "../config/load.ts";
import { nearestName } from "../config/nearest.ts";
import type { CommandContext } from "./context.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";
import { findGateway, openClient } from "./gateway.ts";

/** Where clients reach an endpoint. */
export interface GatewayPlace {
	/** Its MCP address. */
	readonly url: string;
	readonly running: boolean;
	/** The running gateway's configuration file. */
	readonly config: string | undefined;
}

/** The MCP address of an endpoint under a gateway's base URL; without a name, of everything. */
export function mcpAddress(base: string, endpoint: string | undefined): string {
	return endpoint === undefined || endpoint === "mcp"
		? `${base}/mcp`
		: `${base}/${encodeURIComponent(endpoint)}/mcp`;
}

/**
 * The address of an endpoint of the gateway on this folder: the real one where it runs, and
 * where it does not, the one the configuration found here gives it.
 */
export async function placeOfGateway(
	data: string,
	endpoint: string | undefined,
	context: CommandContext,
): Promise<GatewayPlace> {
	const found = await findGateway(data, context);
	if (found.state !== "running") {
		const base = await plannedBase(context);
		return { url: mcpAddress(base, endpoint), running: false, config: undefined };
	}
	if (endpoint !== undefined) await checkEndpoint(data, endpoint, context);
	const { config_path } = found.record;
	return { url: mcpAddress(found.url, endpoint), running: true, config: config_path };
}

/** Fails when the running gateway has no such endpoint. */
async function checkEndpoint(
	data: string,
	endpoint: string,
	context: CommandContext,
): Promise<void> {
	const client = await openClient(data, context);
	if (client === undefined) return;
	try {
		const { value } = await client.request("getStatus");
		const names = [...value.servers, ...value.endpoints].map(({ name }) => name);
		if (names.includes(endpoint)) return;
		throw unknownEndpoint(endpoint, names);
	} finally {
		await client.close();
	}
}

/** There is no server or endpoint of this name. */
export function unknownEndpoint(endpoint: string, names: readonly string[]): CommandFailure {
	const nearest = nearestName(endpoint, names);
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "server_unknown",
		message: `The gateway has no server or endpoint named "${endpoint}".`,
		next: nearest === undefined ? "See what it has: moorage status" : `Did you mean "${nearest}"?`,
	});
}

async function plannedBase(context: CommandContext): Promise<string> {
	const { cwd, environment, home } = context;
	const ask = () => Promise.resolve("");
	const plan = await loadPlan({ path: undefined, cwd, environment, home, ask, overrides: {} });
	if (!plan.ok || plan.value.listen.port === 0) return `http://${default_listen}`;
	const { host, port } = plan.value.listen;
	return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
