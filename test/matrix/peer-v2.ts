import { Client } from "@modelcontextprotocol/client";
import type { Era } from "./cell.ts";
import { Listeners } from "./listeners.ts";
import { answers, capabilities, type Json, type Peer } from "./peer.ts";
import { type TappedTransport, WireTap } from "./wire-tap.ts";

/** The generic parts of a client of SDK 2.x: its types know every method by name. */
interface Handling {
	setRequestHandler(method: string, handler: (request: Json) => object): void;
	setNotificationHandler(method: string, handler: (notification: Json) => void): void;
	request(request: object): Promise<Json>;
}

const modern_revision = "2026-07-28";
const info = { name: "matrix-v2", version: "1.0.0" };
const notifications = [
	"notifications/message",
	"notifications/resources/updated",
	"notifications/tools/list_changed",
];

/** Connects a client of SDK 2.x that speaks one era and no other. */
export async function connectPeerV2(transport: unknown, era: Era): Promise<Peer> {
	const client = new Client(info, {
		capabilities,
		...(era === "modern" ? { versionNegotiation: { mode: { pin: modern_revision } } } : {}),
	});
	const handling = client as unknown as Handling;
	for (const [method, answer] of Object.entries(answers)) {
		handling.setRequestHandler(method, ({ params }) => answer(params ?? {}));
	}
	const listeners = new Listeners();
	for (const method of notifications) {
		handling.setNotificationHandler(method, ({ params }) => listeners.tell(method, params));
	}
	await client.connect(transport as Parameters<Client["connect"]>[0]);
	const tap = new WireTap(transport as TappedTransport);
	const request = (method: string, params: Json = {}) => handling.request({ method, params });
	return {
		era,
		revision: client.getNegotiatedProtocolVersion(),
		server_name: client.getServerVersion()?.name,
		server_capabilities: client.getServerCapabilities(),
		call(name, args = {}, options = {}, meta) {
			const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
			return client.callTool(params, options as never);
		},
		request,
		wire: (method, params = {}, extensions = {}) =>
			tap.request(method, era === "modern" ? enveloped(params, extensions) : params),
		on: (method, listener) => listeners.add(method, listener),
		async watch(uri) {
			if (era === "legacy") {
				await request("resources/subscribe", { uri });
				return async () => void (await request("resources/unsubscribe", { uri }));
			}
			const filter = { toolsListChanged: true, resourceSubscriptions: [uri] };
			const subscription = await client.listen(filter);
			return () => subscription.close();
		},
		close: () => client.close(),
	};
}

function enveloped(params: Json, extensions: Json): Json {
	const prefix = "io.modelcontextprotocol";
	const meta = {
		[`${prefix}/protocolVersion`]: modern_revision,
		[`${prefix}/clientCapabilities`]: { ...capabilities, extensions },
		[`${prefix}/clientInfo`]: info,
	};
	return { ...params, _meta: { ...params._meta, ...meta } };
}
