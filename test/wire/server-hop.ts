import { subscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import { type HttpConversations, HttpExchange } from "./http-exchange.ts";

/** What undici tells of a request; the class is not part of its published interface. */
interface SeenRequest {
	readonly method: string;
	readonly path: string;
	readonly origin: string | URL;
	readonly body: Buffer | string | null;
}

type RequestClass = abstract new () => SeenRequest;

/** Node has an undici of its own, which clients in the same process use: that one is not ours. */
const Request = createRequire(import.meta.url)("undici/lib/core/request.js") as RequestClass;

/** Sees every MCP request that this process makes with our HTTP client, and its answer. */
export function watchServerHop(hopOf: (origin: string) => HttpConversations | undefined): void {
	const exchanges = new WeakMap<SeenRequest, HttpExchange>();
	subscribe("undici:client:sendHeaders", (message) => {
		const { request, headers } = message as { request: SeenRequest; headers: string };
		if (!(request instanceof Request)) return;
		const hop = hopOf(String(request.origin).replace(/\/$/u, ""));
		const head = (name: string) => new RegExp(`^${name}: *(.*?)\\s*$`, "imu").exec(headers)?.[1];
		// Requests of other kinds, to authorization servers, do not say that they take streams.
		if (hop === undefined || head("accept")?.includes("text/event-stream") !== true) return;
		const exchange = new HttpExchange(hop, {
			method: request.method,
			path: request.path,
			session: head("mcp-session-id"),
			declared: head("mcp-protocol-version"),
		});
		exchanges.set(request, exchange);
		if (request.body !== null && request.method === "POST") {
			exchange.posted(Buffer.from(request.body as Buffer));
		}
	});
	subscribe("undici:request:headers", (message) => {
		const { request, response } = message as {
			request: SeenRequest;
			response: { headers: unknown };
		};
		const head = headersOf(response.headers);
		exchanges.get(request)?.answered(head.get("content-type") ?? "", head.get("mcp-session-id"));
	});
	subscribe("undici:request:bodyChunkReceived", (message) => {
		const { request, chunk } = message as { request: SeenRequest; chunk: Buffer };
		// The parser reuses its memory.
		exchanges.get(request)?.data(Buffer.from(chunk));
	});
	subscribe("undici:request:trailers", (message) => {
		exchanges.get((message as { request: SeenRequest }).request)?.ended();
	});
}

/** Names and values in turn, as bytes or text; or an object. */
function headersOf(raw: unknown): Map<string, string> {
	if (!Array.isArray(raw)) {
		return new Map(Object.entries(raw as object).map(([name, value]) => [name, String(value)]));
	}
	const found = new Map<string, string>();
	for (let at = 0; at + 1 < raw.length; at += 2) {
		found.set(String(raw[at]).toLowerCase(), String(raw[at + 1]));
	}
	return found;
}
