import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
	CreateMessageRequestSchema,
	ElicitRequestSchema,
	ListRootsRequestSchema,
	LoggingMessageNotificationSchema,
	ResourceUpdatedNotificationSchema,
	ResultSchema,
	ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { Listeners } from "./listeners.ts";
import { answers, capabilities, type Json, type Peer } from "./peer.ts";
import { type TappedTransport, WireTap } from "./wire-tap.ts";

/** SDK 1.x takes schemas where a method would do; their types differ from one to the next. */
interface Handling {
	setRequestHandler(schema: unknown, handler: (request: Json) => object): void;
	setNotificationHandler(schema: unknown, handler: (notification: Json) => void): void;
}

const questions = [CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema];
const notifications = [
	LoggingMessageNotificationSchema,
	ResourceUpdatedNotificationSchema,
	ToolListChangedNotificationSchema,
];

/** Connects a client of SDK 1.x, which speaks the legacy era only. */
export async function connectPeerV1(transport: unknown): Promise<Peer> {
	const client = new Client({ name: "matrix-v1", version: "1.0.0" }, { capabilities });
	const handling = client as unknown as Handling;
	for (const schema of questions) {
		handling.setRequestHandler(schema, ({ method, params }) => answerTo(method, params));
	}
	const listeners = new Listeners();
	for (const schema of notifications) {
		handling.setNotificationHandler(schema, ({ method, params }) => listeners.tell(method, params));
	}
	await client.connect(transport as Transport);
	const tap = new WireTap(transport as TappedTransport);
	const request = (method: string, params: Json = {}) =>
		client.request({ method, params }, ResultSchema);
	return {
		era: "legacy",
		revision: undefined,
		server_name: client.getServerVersion()?.name,
		server_capabilities: client.getServerCapabilities(),
		call(name, args = {}, options = {}, meta) {
			const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
			return client.callTool(params, undefined, options as never);
		},
		request,
		wire: (method, params = {}) => tap.request(method, params),
		on: (method, listener) => listeners.add(method, listener),
		async watch(uri) {
			await request("resources/subscribe", { uri });
			return async () => void (await request("resources/unsubscribe", { uri }));
		},
		close: () => client.close(),
	};
}

function answerTo(method: string, params: Json): object {
	const answer = answers[method];
	if (answer === undefined) throw new Error(`nobody answers ${method}`);
	return answer(params ?? {});
}
