import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Writable } from "node:stream";
import type { TestContext } from "node:test";
import { runBridge } from "../../src/cli/bridge/bridge.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { meta_keys } from "../../src/protocol/meta.ts";

/** A request the endpoint was sent. */
export interface Received {
	readonly method: string;
	readonly headers: IncomingMessage["headers"];
	readonly body: string;
	readonly response: ServerResponse;
	closed: boolean;
}

/** Writes the endpoint's answer. */
export type Answer = (received: Received) => void;

/** An endpoint whose every answer the test writes. */
export class Endpoint {
	readonly received: Received[] = [];
	answer: Answer = ({ response }) => response.writeHead(202).end();
	#server: Server | undefined;

	async start(context?: TestContext): Promise<string> {
		const server = createServer((request, response) => void this.#serve(request, response));
		this.#server = server;
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		context?.after(() => this.stop());
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
	}

	/** As SIGKILL does it: every connection is cut. */
	stop(): void {
		this.#server?.closeAllConnections();
		this.#server?.close();
	}

	/** Bodies of what was posted, parsed. */
	get posted(): unknown[] {
		return this.received.filter(({ method }) => method === "POST").map(({ body }) => parse(body));
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const received: Received = {
			method: request.method as string,
			headers: request.headers,
			body: Buffer.concat(chunks).toString(),
			response,
			closed: false,
		};
		response.once("close", () => {
			received.closed = true;
		});
		this.received.push(received);
		this.answer(received);
	}
}

/** A message as an object. */
export function parse(text: string): Record<string, unknown> {
	return JSON.parse(text) as Record<string, unknown>;
}

/** A bridge between a client that the test plays and an endpoint of its own. */
export interface Scene {
	readonly endpoint: Endpoint;
	/** Where the bridge looks for the endpoint. */
	url: string | undefined;
	readonly stdin: PassThrough;
	readonly lines: string[];
	readonly notes: string[];
	readonly done: Promise<void>;
	readonly abort: AbortController;
	send(...messages: (object | string)[]): void;
}

/** Starts a bridge; it ends with the test. */
export async function openBridge(
	context: TestContext,
	options: { stdout?: Writable } = {},
): Promise<Scene> {
	const endpoint = new Endpoint();
	const lines: string[] = [];
	const notes: string[] = [];
	const stdin = new PassThrough();
	const abort = new AbortController();
	let rest = "";
	const collector = new Writable({
		write(chunk: Buffer, _encoding, done) {
			const parts = (rest + chunk.toString()).split("\n");
			rest = parts.pop() as string;
			lines.push(...parts);
			done();
		},
	});
	const scene: { url: string | undefined } = { url: await endpoint.start(context) };
	const done = runBridge({
		stdin,
		stdout: options.stdout ?? collector,
		clock: systemClock,
		locate: async () => scene.url,
		note: (text) => notes.push(text),
		signal: abort.signal,
	});
	context.after(async () => {
		abort.abort();
		await done;
	});
	const send = (...messages: (object | string)[]) => {
		for (const message of messages) {
			stdin.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
		}
	};
	return Object.assign(scene, { endpoint, stdin, lines, notes, done, abort, send });
}

/** Answers with JSON. */
export function reply(
	response: ServerResponse,
	body: string,
	headers: Record<string, string> = {},
): void {
	response.writeHead(200, { "content-type": "application/json", ...headers }).end(body);
}

/** Sends messages as events; the stream stays open. */
export function stream(response: ServerResponse, ...messages: (object | string)[]): void {
	if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
	for (const message of messages) {
		const text = typeof message === "string" ? message : JSON.stringify(message);
		response.write(`data: ${text}\n\n`);
	}
}

/** What a modern request says of itself. */
const envelope = {
	[meta_keys.protocol_version]: "2026-07-28",
	[meta_keys.client_capabilities]: {},
};

/** A request of the modern revision. */
export function modern(id: unknown, method: string, params: object = {}): object {
	return { jsonrpc: "2.0", id, method, params: { ...params, _meta: envelope } };
}

/** A result. */
export function result(id: unknown, value: object = {}): object {
	return { jsonrpc: "2.0", id, result: value };
}

/** The handshake of a legacy client. */
export const initialize = {
	jsonrpc: "2.0",
	id: 0,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "t", version: "1" },
	},
};
/** The end of the handshake. */
export const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };

/** An endpoint with sessions: `s1`, then `s2`, ...; other requests go to `next`. */
export function sessions(scene: Scene, next: Answer = echo): { valid: string | undefined } {
	const state: { valid: string | undefined; opened: number } = { valid: undefined, opened: 0 };
	scene.endpoint.answer = (received) => {
		const { method, headers, body, response } = received;
		if (method === "GET" || method === "DELETE") {
			response.writeHead(method === "GET" ? 405 : 200).end();
			return;
		}
		const message = parse(body);
		if (message["method"] === "initialize") {
			state.opened += 1;
			state.valid = `s${state.opened}`;
			const answer = result(message["id"], { protocolVersion: "2025-11-25" });
			reply(response, JSON.stringify(answer), { "mcp-session-id": state.valid });
		} else if (headers["mcp-protocol-version"] === envelope[meta_keys.protocol_version]) {
			next(received);
		} else if (headers["mcp-session-id"] !== state.valid) {
			response.writeHead(404, { "content-type": "application/json" });
			response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"gone"}}');
		} else if (message["id"] === undefined || message["method"] === undefined) {
			response.writeHead(202).end();
		} else {
			next(received);
		}
	};
	return state;
}

/** Answers with the request's method. */
export function echo({ body, response }: Received): void {
	const { id, method } = parse(body);
	reply(response, JSON.stringify(result(id, { method })));
}
