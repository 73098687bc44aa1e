import {
	Client as ClientV2,
	StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { BrokenStreams } from "./broken-streams.ts";

/** Ways of the official SDKs to speak to a gateway. */
export const client_kinds = ["SDK 1.x", "SDK 2.x legacy", "SDK 2.x modern"] as const;
export type ClientKind = (typeof client_kinds)[number];

/** What a call ended with: the part of a result that is looked at. */
export interface CallResult {
	readonly content?: readonly { readonly text?: string }[];
	readonly isError?: boolean;
	readonly _meta?: Readonly<Record<string, unknown>>;
}

/** One connected client, whichever SDK is behind it. */
export interface ChaosClient {
	call(name: string, args: Record<string, unknown>): Promise<CallResult>;
	/** Of its session; undefined in the modern era. */
	sessionId(): string | undefined;
	/** What the SDK complained about beside the outcomes of calls. */
	readonly complaints: readonly string[];
	close(): Promise<void>;
}

/** A call that has not ended by then never would. */
export const call_ms_max = 25_000;

const info = { name: "chaos", version: "1.0.0" };
const capabilities = { elicitation: { form: {} } };

/** A gateway that is killed takes a few seconds to be back; the default gives up earlier. */
const reconnectionOptions = {
	initialReconnectionDelay: 500,
	maxReconnectionDelay: 2_000,
	reconnectionDelayGrowFactor: 1.5,
	maxRetries: 20,
};

/** Questions are answered with `name`, so that an answer shows who gave it. */
export function connectClient(kind: ClientKind, address: URL, name: string): Promise<ChaosClient> {
	return kind === "SDK 1.x" ? connectV1(address, name) : connectV2(kind, address, name);
}

const answer = (name: string) => ({ action: "accept" as const, content: { name } });
const options = { timeout: call_ms_max };

async function connectV1(address: URL, name: string): Promise<ChaosClient> {
	const client = new ClientV1(info, { capabilities });
	const transport = new HttpV1(address, { reconnectionOptions });
	const complaints: string[] = [];
	client.onerror = (error) => void complaints.push(error.message);
	client.setRequestHandler(ElicitRequestSchema, () => answer(name));
	await client.connect(transport);
	return {
		complaints,
		sessionId: () => transport.sessionId,
		call: (tool, args) =>
			client.callTool({ name: tool, arguments: args }, undefined, {
				...options,
				onprogress: () => {},
			}) as Promise<CallResult>,
		close: () => client.close(),
	};
}

async function connectV2(kind: ClientKind, address: URL, name: string): Promise<ChaosClient> {
	const breaks = new BrokenStreams();
	const modern = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;
	const client = new ClientV2(info, {
		capabilities,
		...(kind === "SDK 2.x modern" ? modern : {}),
	});
	const transport = new HttpV2(address, {
		reconnectionOptions,
		...(kind === "SDK 2.x modern" ? { fetch: breaks.fetch } : {}),
	});
	const complaints: string[] = [];
	client.onerror = (error) => void complaints.push(error.message);
	client.setRequestHandler("elicitation/create", () => answer(name));
	await client.connect(transport);
	return {
		complaints,
		sessionId: () => transport.sessionId,
		call: (tool, args) => {
			const called = client.callTool(
				{ name: tool, arguments: args },
				{
					...options,
					onprogress: () => {},
				},
			) as Promise<CallResult>;
			return Promise.race([called, breaks.of(String(args["id"]))]);
		},
		close: () => client.close(),
	};
}
