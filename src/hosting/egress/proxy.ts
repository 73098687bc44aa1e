import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { assert } from "../../lib/assert.ts";
import type { Clock } from "../../lib/clock.ts";
import { node_http } from "../../lib/node-http.ts";
import { awaitConnection, type Dial, type Dialled, endWhenIdle } from "./dial.ts";
import { withoutHopHeaders } from "./forward-headers.ts";
import { type EgressRules, judge, type Resolve } from "./judge.ts";
import type { EgressOutcome } from "./ledger.ts";
import {
	not_for_a_proxy,
	type Refusal,
	refusalOf,
	unknown_client,
	unreachable,
} from "./refusal.ts";
import { bracketed, parseAbsolute, parseAuthority, type Target } from "./target.ts";

/** Limits of one instance's proxy. */
export interface ProxyLimits {
	/** Connections of the instance at one time; more are closed at once. */
	readonly connections_max: number;
	/** Bytes of the header of one request. */
	readonly header_bytes_max: number;
	/** How long the header of one request may take. */
	readonly header_ms_max: number;
	/** How long a connection to a host may take to be made. */
	readonly connect_ms_max: number;
	/** How long a connection may stand without a byte. */
	readonly idle_ms_max: number;
}

/** Enough for any server that is not out of order. */
export const default_proxy_limits: ProxyLimits = Object.freeze({
	connections_max: 256,
	header_bytes_max: 32 * 1024,
	header_ms_max: 15_000,
	connect_ms_max: 15_000,
	idle_ms_max: 15 * 60_000,
});

/**
 * By this method the forwarder in a sandbox tells of what was tried past the proxy: the target
 * stands where a path would. What is asked of a host has an absolute address instead.
 */
const report_method = "REPORT";

/** The name of every client that has a secret to say. */
export const proxy_user = "moorage";
const proxy_realm = 'Basic realm="Moorage"';
const challenge = [`Proxy-Authenticate: ${proxy_realm}`];

/** What a proxy is made of. */
export interface ProxyParts {
	/** The server's name, for the texts of refusals. */
	readonly server: string;
	readonly rules: EgressRules;
	readonly clock: Clock;
	readonly resolve: Resolve;
	readonly dial: Dial;
	readonly limits: ProxyLimits;
	/** What a client must say to be served, where others can connect as well. */
	readonly secret?: string | undefined;
	/** Hears of every connection that was allowed, refused (and why), or tried past the proxy. */
	note(outcome: EgressOutcome, target: Target, why?: string): void;
	/** Hears of every connection that was allowed and could not be made, and why. */
	missed(target: Target, why: string): void;
}

/** The status for a request that could not be read (RFC 9110, 15.5; RFC 6585, 5). */
function clientStatus(code: string | undefined): number {
	if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
	return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

/**
 * The one way out of a sandbox: an HTTP proxy for one instance. It makes tunnels (CONNECT, which
 * carry TLS or any other protocol over TCP) and forwards plain http requests, to the hosts that
 * the rules allow. Names are looked up here, once, and that very address is used. Redirects are
 * left to the client, whose next request is judged like the first. Bytes wait in pipes, a few
 * kilobytes a connection, never in memory without bound.
 */
export class EgressProxy {
	readonly #parts: ProxyParts;
	readonly #server: Server;
	readonly #open = new Set<Duplex>();
	/** Connections with a request that is not answered yet. */
	readonly #busy = new WeakSet<Duplex>();

	constructor(parts: ProxyParts) {
		this.#parts = parts;
		const { limits } = parts;
		this.#server = node_http.createServer({
			maxHeaderSize: limits.header_bytes_max,
			headersTimeout: limits.header_ms_max,
			// Node looks every half a minute otherwise, however short the limit is.
			connectionsCheckingInterval: limits.header_ms_max,
			// A body may take as long as its bytes keep coming; the idle limit ends the others.
			requestTimeout: 0,
			keepAliveTimeout: limits.header_ms_max,
			requireHostHeader: false,
		});
		this.#server.maxConnections = limits.connections_max;
		this.#server.on("connection", (socket) => {
			this.#keep(socket);
			endWhenIdle(socket, parts.clock, limits.idle_ms_max);
		});
		this.#server.on("connect", (request, socket, head) => {
			void this.#tunnel(request, socket, head);
		});
		this.#server.on("request", (request, response) => {
			void this.#forward(request, response);
		});
		this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
			endWith(socket, clientStatus(error.code), "Moorage's proxy could not read this request.\n");
		});
	}

	/** The connections that stand, on both sides. */
	get connections(): number {
		return this.#open.size;
	}

	/** Listens on a unix socket. Rejects where that cannot be. */
	listen(path: string): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#server.once("error", reject);
			// Any user may connect to it; the folder it is in, and the sandbox, say who sees it.
			this.#server.listen({ path, readableAll: true, writableAll: true }, () => {
				this.#server.off("error", reject);
				resolve();
			});
		});
	}

	/** Listens on a free port of 127.0.0.1, and resolves with it. Needs a secret. */
	listenOnLoopback(): Promise<number> {
		assert(this.#parts.secret !== undefined, "anybody on this machine could use the proxy");
		return new Promise((resolve, reject) => {
			this.#server.once("error", reject);
			this.#server.listen({ host: "127.0.0.1", port: 0 }, () => {
				this.#server.off("error", reject);
				resolve((this.#server.address() as AddressInfo).port);
			});
		});
	}

	/** Ends every connection at once. Idempotent; resolves when nothing is left. */
	async close(): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		for (const socket of this.#open) socket.destroy();
		await Promise.all([closed, ...[...this.#open].map((socket) => once(socket, "close"))]);
	}

	async #tunnel(request: IncomingMessage, inside: Duplex, head: Buffer): Promise<void> {
		inside.on("error", () => inside.destroy());
		if (!this.#take(inside)) return;
		if (!this.#isKnown(request)) {
			endWith(inside, unknown_client.status, unknown_client.text, challenge);
			return;
		}
		const target = parseAuthority(request.url ?? "");
		if (target === undefined) {
			endWith(inside, not_for_a_proxy.status, not_for_a_proxy.text);
			return;
		}
		const outcome = await this.#connect(target, inside);
		if ("text" in outcome) {
			endWith(inside, outcome.status, outcome.text);
			return;
		}
		const { socket: outside } = outcome;
		inside.write("HTTP/1.1 200 Connection established\r\n\r\n");
		if (head.length > 0) outside.write(head);
		tie(inside, outside);
		inside.pipe(outside).pipe(inside);
	}

	async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { socket: inside } = request;
		if (!this.#take(inside)) return;
		response.once("close", () => this.#busy.delete(inside));
		if (request.method === report_method && this.#parts.secret === undefined) {
			const past = parseAuthority((request.url ?? "").slice(1));
			if (past !== undefined) this.#parts.note("unproxied", past);
		}
		if (!this.#isKnown(request)) {
			response.setHeader("proxy-authenticate", proxy_realm);
			refuse(response, unknown_client);
			return;
		}
		const target = parseAbsolute(request.url ?? "");
		if (target === undefined) {
			refuse(response, not_for_a_proxy);
			return;
		}
		const outcome = await this.#connect(target, inside);
		if ("text" in outcome) {
			refuse(response, outcome);
			return;
		}
		const { socket: outside } = outcome;
		response.once("close", () => outside.destroy());
		const host = bracketed(target.host) + (target.port === 80 ? "" : `:${target.port}`);
		const headers = ["Host", host, ...withoutHopHeaders(request.rawHeaders), "Connection", "close"];
		// Said outright: for some methods Node would send such a body without any framing, where
		// the host could take it for the next request.
		if ("transfer-encoding" in request.headers) headers.push("Transfer-Encoding", "chunked");
		const outgoing = node_http.request({
			createConnection: () => outside,
			method: request.method ?? "GET",
			path: target.path,
			setHost: false,
			headers,
		});
		const fails = () => {
			if (response.headersSent) response.destroy();
			else refuse(response, unreachable(target, "it gave no answer that can be read"));
		};
		outgoing.on("error", fails);
		outgoing.once("close", () => {
			if (!response.headersSent) fails();
		});
		outgoing.once("response", (answer) => answerWith(response, answer));
		request.pipe(outgoing);
	}

	#isKnown(request: IncomingMessage): boolean {
		const { secret } = this.#parts;
		const said = request.headers["proxy-authorization"] ?? "";
		return secret === undefined || isSame(said, proxyCredentials(secret));
	}

	/** Takes one request of a connection at a time, so that none has more hosts than its share. */
	#take(inside: Duplex): boolean {
		if (this.#busy.has(inside)) {
			inside.destroy();
			return false;
		}
		this.#busy.add(inside);
		return true;
	}

	/** Judges a target and connects to it, for as long as somebody waits inside. */
	async #connect(
		target: Target,
		inside: Duplex,
	): Promise<Extract<Dialled, { kind: "connected" }> | Refusal> {
		const { server, rules, resolve, dial, clock, limits, note, missed } = this.#parts;
		const gone = new AbortController();
		const leave = () => gone.abort();
		inside.once("close", leave);
		try {
			const verdict = await judge(rules, target, resolve);
			if (verdict.kind !== "allowed") {
				const refusal = refusalOf(server, rules, target, verdict);
				if (verdict.kind === "unknown-name") missed(target, refusal.why);
				else note("refused", target, refusal.why);
				return refusal;
			}
			note("used", target);
			if (inside.destroyed) return unreachable(target, "it was no longer wanted");
			const socket = dial(verdict.addresses, target.port);
			this.#keep(socket);
			const dialled = await awaitConnection(socket, clock, limits.connect_ms_max, gone.signal);
			if (dialled.kind === "failed") {
				const refusal = unreachable(target, dialled.reason);
				if (!gone.signal.aborted) missed(target, refusal.why);
				return refusal;
			}
			if (!inside.destroyed) return dialled;
			socket.destroy();
			return unreachable(target, "it was no longer wanted");
		} finally {
			inside.off("close", leave);
		}
	}

	#keep(socket: Socket): void {
		this.#open.add(socket);
		socket.once("close", () => this.#open.delete(socket));
	}
}

/** What a client says that was given the proxy's address with its secret (RFC 7617). */
function proxyCredentials(secret: string): string {
	return `Basic ${Buffer.from(`${proxy_user}:${secret}`).toString("base64")}`;
}

/** Takes the same time for every wrong answer. */
function isSame(one: string, other: string): boolean {
	const [first, second] = [one, other].map((text) => createHash("sha256").update(text).digest());
	return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}

/** When one side is gone, the other has nobody to talk to. */
function tie(one: Duplex, other: Duplex): void {
	one.once("close", () => other.destroy());
	other.once("close", () => one.destroy());
}

function answerWith(response: ServerResponse, answer: IncomingMessage): void {
	const headers = withoutHopHeaders(answer.rawHeaders);
	response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "", headers);
	answer.on("error", () => response.destroy());
	answer.pipe(response);
}

function refuse(response: ServerResponse, { status, text }: Refusal): void {
	// The rest of a body is not waited for.
	response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
	response.end(text);
}

function endWith(socket: Duplex, status: number, text: string, more: string[] = []): void {
	if (!socket.writable) {
		socket.destroy();
		return;
	}
	const headers = [
		`HTTP/1.1 ${status} ${node_http.STATUS_CODES[status]}`,
		"Content-Type: text/plain; charset=utf-8",
		`Content-Length: ${Buffer.byteLength(text)}`,
		"Connection: close",
		...more,
	];
	socket.end(`${headers.join("\r\n")}\r\n\r\n${text}`);
	// Whatever still comes is not read, and must not keep the connection.
	socket.once("finish", () => socket.destroy());
}
