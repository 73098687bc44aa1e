import type { Server as HttpServer, RequestListener } from "node:http";
import { createServer as createTlsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Limits } from "../config/plan.ts";
import { node_http } from "../lib/node-http.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { TlsMaterial } from "./tls-files.ts";

/** Where to listen: an address, or the descriptor of a socket that was handed over. */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly fd: number };

/** Why the gateway could not listen: the system's error code, e.g. EADDRINUSE. */
export interface ListenProblem {
	readonly code: string;
}

/** Headers must arrive within this time; requests within `limits.request_read_ms`. */
const headers_timeout_ms = 10_000;
const keep_alive_timeout_ms = 65_000;
/** Connections may idle in keep-alive, so there may be more of them than requests. */
const connections_per_request = 8;

/** The sockets that requests come in by: one, or a second one where TLS ends here. */
export class Listeners {
	readonly #onRequest: RequestListener;
	readonly #servers: (HttpServer | HttpsServer)[] = [];
	#tls: HttpsServer | undefined;

	constructor(onRequest: RequestListener) {
		this.#onRequest = onRequest;
	}

	/** Starts listening; resolves with where that is, which matters when port 0 was asked for. */
	listen(
		at: ListenAt,
		limits: Limits,
		tls?: TlsMaterial,
	): Promise<Result<AddressInfo, ListenProblem>> {
		const options = {
			maxHeaderSize: limits.header_bytes_max,
			requestTimeout: limits.request_read_ms,
			headersTimeout: Math.min(headers_timeout_ms, limits.request_read_ms),
			keepAliveTimeout: keep_alive_timeout_ms,
		};
		const server =
			tls === undefined
				? node_http.createServer(options, this.#onRequest)
				: this.#rememberTls(createTlsServer({ ...options, ...tls }, this.#onRequest));
		server.maxConnections = limits.requests_in_flight_max * connections_per_request;
		this.#servers.push(server);
		return new Promise((resolve) => {
			server.once("error", (error: NodeJS.ErrnoException) =>
				resolve(fail({ code: error.code ?? "UNKNOWN" })),
			);
			server.listen(at, () => {
				const address = server.address();
				// A socket of the file system has a path: no browser or client could name it.
				if (address !== null && typeof address !== "string") return resolve(succeed(address));
				server.close();
				return resolve(fail({ code: "ENOTSUP" }));
			});
		});
	}

	/**
	 * New connections are served with other certificates from now on. Idle ones are closed, so that
	 * whoever is not trusted any more has to come again.
	 */
	replaceTls(tls: TlsMaterial): void {
		this.#tls?.setSecureContext(tls);
		this.#tls?.closeIdleConnections();
	}

	get is_open(): boolean {
		return this.#servers.length > 0;
	}

	/** Takes no new connections, waits for `last`, and ends what is left then. */
	async close(last: () => Promise<void>): Promise<void> {
		const servers = this.#servers.splice(0);
		const closed = servers.map(
			(server) => new Promise<void>((resolve) => server.close(() => resolve())),
		);
		for (const server of servers) server.closeIdleConnections();
		await last();
		for (const server of servers) server.closeAllConnections();
		await Promise.all(closed);
	}

	#rememberTls(server: HttpsServer): HttpsServer {
		this.#tls = server;
		// Whoever comes without TLS, or with a broken handshake, is cut off and that is all.
		server.on("tlsClientError", (_, socket) => socket.destroy());
		return server;
	}
}
