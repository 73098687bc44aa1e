import { type GatewayProcess, startGateway, startProgram } from "../contenders.ts";
import type { LoadRequest } from "../load.ts";
import { modernCall } from "../requests.ts";

/** How many calls come in, over how many connections. */
export const rate = 1_000;
export const connections = 32;

/** As many servers as the fleet has that people look at. */
export const names: readonly string[] = Array.from({ length: 300 }, (_, at) => `echo-${at}`);

/** A gateway with all of them, each a remote server at one address. */
export interface Fleet {
	readonly gateway: GatewayProcess;
	stop(): Promise<void>;
}

/** Starts it; of calls nothing is kept, which other cases measure. */
export async function startFleet(): Promise<Fleet> {
	const remote = await startProgram("echo", "--era", "modern", "--http");
	const url = `http://127.0.0.1:${remote.port}/mcp`;
	const servers = Object.fromEntries(names.map((name) => [name, { url }]));
	const kept = { audit: "off", calls: { log: "off", history: "off" } };
	try {
		const gateway = await startGateway({ servers, ...kept });
		const stop = async () => {
			await gateway.stop();
			await remote.stop();
		};
		return { gateway, stop };
	} catch (error) {
		await remote.stop();
		throw error;
	}
}

/** Calls of all of them by turns. */
export function callsOf({ port }: GatewayProcess): LoadRequest {
	const paths = names.map((name) => `/${name}/mcp`);
	return { port, path: "/echo-0/mcp", paths, ...modernCall() };
}
