import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installBeside, readManifest } from "../bin/launcher/npm-ci.mjs";
import { type Contender, echoArguments, startServing } from "./contenders.ts";
import type { LoadRequest } from "./load.ts";
import { legacyCall, openSession } from "./requests.ts";

/** Another gateway, ready to be measured. */
export interface Peer {
	readonly name: string;
	/** How it is set, for the report. */
	readonly title: string;
	/** Starts it in front of the echo server, with a request to measure it by. */
	start(): Promise<{ contender: Contender; request: LoadRequest }>;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const place = join(root, ".tools", "bench-peers-1");
const bin = (name: string) => join(place, "node_modules", ".bin", name);
const program = fileURLToPath(new URL("./servers/fastmcp-front.mjs", import.meta.url));
const child = [process.execPath, ...echoArguments("--era", "legacy")];

/**
 * The gateways that install from npm, each as its documentation says it is fastest. They answer
 * legacy clients within a session; their own default ways are slower, one starts a process for
 * each request.
 */
export const npm_peers: readonly Peer[] = [
	{
		name: "mcp-proxy",
		title: "mcp-proxy 6.7.19, streams only, without its event store",
		start: () =>
			served((port) => [
				bin("mcp-proxy"),
				...["--host", "127.0.0.1", "--port", String(port)],
				...["--server", "stream", "--no-eventStore", "--", ...child],
			]),
	},
	{
		name: "supergateway",
		title: "supergateway 4.0.0, stateful, without its log",
		start: () =>
			served((port) => [
				bin("supergateway"),
				...["--stdio", child.map((word) => JSON.stringify(word)).join(" ")],
				...["--outputTransport", "streamableHttp", "--stateful"],
				...["--port", String(port), "--logLevel", "none"],
			]),
	},
	{
		name: "fastmcp",
		title: "fastmcp 4.20.16: it has no proxy, so a tool of it that calls the server",
		start: () => served((port) => [program, join(place, "node_modules"), String(port), ...child]),
	},
];

/** Installs the peers once, from a lock file of their own; the reason where that fails. */
export async function installPeers(say: (line: string) => void): Promise<string | undefined> {
	if (existsSync(bin("mcp-proxy"))) return undefined;
	say("installing the gateways to compare with into .tools/");
	try {
		const files = readManifest(join(root, "bench", "peers"));
		const beside = join(root, ".tools");
		const { execPath: node, env: environment } = process;
		const partial = await installBeside({ files, beside, node, environment });
		if (!existsSync(place)) renameSync(partial, place);
		rmSync(partial, { recursive: true, force: true });
		return undefined;
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

/** Any other gateway that runs already: `NAME=URL` or `NAME=URL,PID`, on a loopback address. */
export function peerAt(text: string): Peer {
	const found =
		/^([\w.-]+)=(http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)(\/[^,]*))(?:,(\d+))?$/;
	const [, name, url, port, path, pid] = found.exec(text) ?? [];
	if (name === undefined || url === undefined || path === undefined) {
		throw new Error(`--peer takes NAME=http://127.0.0.1:PORT/PATH or the same with ,PID: ${text}`);
	}
	return {
		name,
		title: url,
		async start() {
			const contender = { pid: Number(pid ?? 0), port: Number(port), stop: async () => {} };
			const session = await openSession(url);
			return { contender, request: { port: Number(port), path, ...legacyCall(session) } };
		},
	};
}

async function served(args: (port: number) => readonly string[]) {
	const contender = await startServing(args);
	const path = "/mcp";
	try {
		const session = await greeted(`http://127.0.0.1:${contender.port}${path}`);
		return { contender, request: { port: contender.port, path, ...legacyCall(session) } };
	} catch (error) {
		await contender.stop();
		throw error;
	}
}

/** Tries for a while: what listens already may not have its server yet. */
async function greeted(url: string): Promise<string> {
	const tries_max = 100;
	for (let attempt = 1; ; attempt += 1) {
		try {
			return await openSession(url);
		} catch (error) {
			if (attempt === tries_max) throw error;
			await new Promise((resolve) => setTimeout(resolve, 200));
		}
	}
}
