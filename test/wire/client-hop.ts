import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, OutgoingHttpHeader, Server, ServerResponse } from "node:http";
import { type HttpConversations, HttpExchange } from "./http-exchange.ts";

interface Started {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	readonly server: Server;
}

/** Where MCP is spoken; the rest of a gateway's addresses has forms of its own. */
const mcp_paths = /^(?!\/\.well-known\/).*\/(?:mcp|sse|message)(?:\?|$)/u;

/** Sees every MCP request that a listener of this process takes, and what it answers. */
export function watchClientHop(hopOf: (server: Server) => HttpConversations | undefined): void {
	subscribe("http.server.request.start", (message) => {
		const { request, response, server } = message as Started;
		const hop = hopOf(server);
		if (hop === undefined || !mcp_paths.test(request.url ?? "/")) return;
		const exchange = new HttpExchange(hop, {
			method: request.method ?? "",
			path: request.url ?? "/",
			session: headerOf(request, "mcp-session-id"),
			declared: headerOf(request, "mcp-protocol-version"),
		});
		if (request.method === "POST") watchBody(request, exchange);
		watchAnswer(response, exchange);
	});
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
	const value = request.headers[name];
	return typeof value === "string" ? value : undefined;
}

/** The parser hands a body over by `push`; whoever reads it is not disturbed. */
function watchBody(request: IncomingMessage, exchange: HttpExchange): void {
	const chunks: Buffer[] = [];
	const push = request.push.bind(request);
	request.push = (chunk: Buffer | null, ...rest) => {
		if (chunk !== null) chunks.push(chunk);
		// Of a request that was refused by its head the body is thrown away unseen; one that never
		// announced a body has an empty one, which is wrong.
		else if (request.complete && (chunks.length > 0 || !announcesBody(request))) {
			exchange.posted(Buffer.concat(chunks.splice(0)));
		}
		return push(chunk, ...rest);
	};
}

function announcesBody({ headers }: IncomingMessage): boolean {
	return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0;
}

function watchAnswer(response: ServerResponse, exchange: HttpExchange): void {
	const { writeHead } = response;
	response.writeHead = (...all: unknown[]) => {
		const headers = (all.at(-1) ?? {}) as Readonly<Record<string, OutgoingHttpHeader>>;
		const session = headers["mcp-session-id"];
		exchange.answered(
			String(headers["content-type"] ?? ""),
			session === undefined ? undefined : String(session),
		);
		return Reflect.apply(writeHead, response, all) as ServerResponse;
	};
	for (const verb of ["write", "end"] as const) {
		const inner = response[verb].bind(response) as (...all: unknown[]) => never;
		response[verb] = ((...all: unknown[]) => {
			const [chunk, encoding] = all;
			if (Buffer.isBuffer(chunk)) exchange.data(chunk);
			else if (typeof chunk === "string") {
				exchange.data(Buffer.from(chunk, encoding as BufferEncoding));
			}
			if (verb === "end") exchange.ended();
			return inner(...all);
		}) as never;
	}
}
