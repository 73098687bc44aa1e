import { fileURLToPath } from "node:url";
import type { ServerKind } from "./cell.ts";
import { type Child, killChild, startChild } from "./child.ts";

const path_of = (file: string) =>
	fileURLToPath(new URL(`../servers/matrix/${file}`, import.meta.url));

/** The endpoint of a server at the gateway. */
export function endpointOf(server: ServerKind): string {
	return `${server.toLowerCase().replace(" ", "-")}-server`;
}

/** A server that is reached over HTTP: whenever it ends, it is started again at its port. */
class RemoteServer {
	readonly #args: readonly string[];
	#child: Child | undefined;
	#stopping = false;
	url = "";

	constructor(file: string, ...args: readonly string[]) {
		this.#args = [path_of(file), ...args];
	}

	async start(): Promise<void> {
		const port = this.url === "" ? [] : ["--port", new URL(this.url).port];
		const args = [...this.#args, ...port];
		const { child, found } = await startChild(args, process.env, addressIn);
		this.#child = child;
		this.url = found;
		void child.exited.then(() => (this.#stopping ? undefined : this.start()));
	}

	async stop(): Promise<void> {
		this.#stopping = true;
		if (this.#child !== undefined) await killChild(this.#child);
	}
}

function addressIn(printed: string): string | undefined {
	const end = printed.indexOf("\n");
	return end < 0 ? undefined : (JSON.parse(printed.slice(0, end)) as { url: string }).url;
}

/** The five servers, as entries of a configuration. */
export interface MatrixServers {
	readonly entries: Readonly<Record<string, object>>;
	stop(): Promise<void>;
}

/** Starts the servers that are not started by the gateway. */
export async function startServers(): Promise<MatrixServers> {
	const legacy = new RemoteServer("legacy.mjs", "--http");
	const modern = new RemoteServer("modern.mjs", "--http");
	const sse = new RemoteServer("legacy.mjs", "--sse");
	const remote = [legacy, modern, sse];
	await Promise.all(remote.map((server) => server.start()));
	const command = process.execPath;
	return {
		entries: {
			[endpointOf("stdio legacy")]: { command, args: [path_of("legacy.mjs")] },
			[endpointOf("stdio modern")]: { command, args: [path_of("modern.mjs")] },
			[endpointOf("HTTP legacy")]: { url: legacy.url },
			[endpointOf("HTTP modern")]: { url: modern.url },
			[endpointOf("SSE")]: { url: sse.url },
		},
		async stop() {
			await Promise.all(remote.map((server) => server.stop()));
		},
	};
}
