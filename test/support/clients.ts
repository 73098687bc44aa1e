import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const no_headers: Readonly<Record<string, string>> = {};
const info = { name: "test-client", version: "1.0.0" };

/** The official SDK 1.x, which speaks the legacy era only. */
export async function connectV1(
	address: URL,
	capabilities: object = {},
	headers = no_headers,
): Promise<ClientV1> {
	const client = new ClientV1(info, { capabilities });
	await client.connect(new HttpV1(address, { requestInit: { headers } }));
	return client;
}

/** The official SDK 2.x in its default, legacy mode. */
export async function connectV2Legacy(
	address: URL,
	capabilities: object = {},
	headers = no_headers,
): Promise<ClientV2> {
	const client = new ClientV2(info, { capabilities });
	await client.connect(new HttpV2(address, { requestInit: { headers } }));
	return client;
}

/** The official SDK 2.x speaking the modern revision and nothing else. */
export async function connectV2Modern(
	address: URL,
	capabilities: object = {},
	headers = no_headers,
): Promise<ClientV2> {
	const client = new ClientV2(info, {
		capabilities,
		versionNegotiation: { mode: { pin: "2026-07-28" } },
	});
	await client.connect(new HttpV2(address, { requestInit: { headers } }));
	return client;
}

/** Every way the official SDKs have of speaking to a server, by name. */
export const sdk_clients = {
	"SDK 1.x": connectV1,
	"SDK 2.x legacy": connectV2Legacy,
	"SDK 2.x modern": connectV2Modern,
} as const;
