import { StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { cli_path } from "../support/run-cli.ts";
import type { ClientKind } from "./cell.ts";
import type { Peer } from "./peer.ts";
import { connectPeerV1 } from "./peer-v1.ts";
import { connectPeerV2 } from "./peer-v2.ts";

/** Where the gateway of the matrix is. */
export interface GatewayPlace {
	readonly url: string;
	/** Its data folder: how `moorage stdio` finds it. */
	readonly data: string;
}

/** Connects to a server's endpoint. */
export type Connect = (place: GatewayPlace, endpoint: string) => Promise<Peer>;

const address = (place: GatewayPlace, endpoint: string, part: string) =>
	new URL(`/${endpoint}/${part}`, place.url);

const bridge = (place: GatewayPlace, endpoint: string) => ({
	command: process.execPath,
	args: [cli_path, "stdio", endpoint, "--data", place.data],
	stderr: "ignore" as const,
});

/** The ways each kind of client connects: the bridge is there for programs of both eras. */
export const connections: Readonly<Record<ClientKind, readonly Connect[]>> = {
	"SDK 1.x": [(place, name) => connectPeerV1(new HttpV1(address(place, name, "mcp")))],
	"SDK 2.x legacy": [
		(place, name) => connectPeerV2(new HttpV2(address(place, name, "mcp")), "legacy"),
	],
	"SDK 2.x modern": [
		(place, name) => connectPeerV2(new HttpV2(address(place, name, "mcp")), "modern"),
	],
	"HTTP+SSE": [(place, name) => connectPeerV1(new SSEClientTransport(address(place, name, "sse")))],
	"stdio bridge": [
		(place, name) => connectPeerV1(new StdioV1(bridge(place, name))),
		(place, name) => connectPeerV2(new StdioV2(bridge(place, name)), "modern"),
	],
};
