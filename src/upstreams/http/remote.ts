import type { Dispatcher } from "undici";
import { Pool } from "../../lib/http-client.ts";

/** Response headers, lower-case names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One HTTP request. */
export interface RemoteRequest {
	readonly method: "POST" | "GET" | "DELETE";
	/** Another path of the same origin than the server's own; redirects from it are not followed. */
	readonly path?: string;
	/** Names and values in turn. */
	readonly headers: string[];
	readonly body: Buffer | undefined;
}

/** Who is told about one HTTP exchange. `onEnd` or `onError` is the last, exactly once. */
export interface ExchangeHandler {
	/** The request is about to be written: from now on the server may have seen it. */
	onSent(): void;
	onHead(status: number, headers: Headers): void;
	onData(chunk: Buffer): void;
	onEnd(): void;
	onError(error: Error): void;
}

/** An exchange under way. */
export interface Exchange {
	/** Breaks it off; `onError` follows unless it had ended. */
	abort(): void;
	/** Reads no more of the answer, so that its sender has to wait; until `resume`. */
	pause(): void;
	resume(): void;
}

/** Calls at a time to one remote server; more wait for a connection. */
const call_connections_max = 256;
/** Answers, notifications and streams must not wait behind calls that wait for them. */
const control_connections_max = 32;
/** Time to reach a server at all, with its name lookup and TLS. */
const connect_ms_max = 10_000;
const redirects_max = 3;

/**
 * The HTTP side of one remote server: connections that are kept, and nothing of MCP. A
 * redirect that keeps method and body (307, 308) is followed within the origin; anything else
 * is given to the caller as it came, so that no credentials travel to another host.
 */
export class Remote {
	/** Scheme, host and port, for messages. */
	readonly origin: string;
	readonly #pools: { readonly calls: Pool; readonly control: Pool };
	#path: string;

	constructor(url: string, connect_ms: number) {
		const { origin, pathname, search } = new URL(url);
		this.origin = origin;
		this.#path = `${pathname}${search}`;
		const options = {
			pipelining: 1,
			// Calls have deadlines of their own, and streams may be silent for long.
			headersTimeout: 0,
			bodyTimeout: 0,
			connect: { timeout: Math.min(connect_ms, connect_ms_max) },
		};
		this.#pools = {
			calls: new Pool(origin, { ...options, connections: call_connections_max }),
			control: new Pool(origin, { ...options, connections: control_connections_max }),
		};
	}

	/** The whole address, as redirects have changed it. */
	get address(): string {
		return `${this.origin}${this.#path}`;
	}

	/** Sends a request over the connections of its kind. */
	send(kind: "calls" | "control", request: RemoteRequest, handler: ExchangeHandler): Exchange {
		const elsewhere = request.path !== undefined;
		const follow = (location: string) => !elsewhere && this.#follow(location);
		const exchange = new RemoteExchange(handler, follow);
		const dispatch = () => {
			const { method, headers, body = null, path = this.#path } = request;
			this.#pools[kind].dispatch({ path, method, headers, body }, exchange);
		};
		exchange.start(dispatch);
		return exchange;
	}

	/** Breaks off everything and closes every connection. */
	async close(): Promise<void> {
		await Promise.all([this.#pools.calls.destroy(), this.#pools.control.destroy()]);
	}

	/** Takes a redirect's target for this and all later requests, if it may be followed. */
	#follow(location: string): boolean {
		if (!URL.canParse(location, this.address)) return false;
		const { origin, pathname, search } = new URL(location, this.address);
		if (origin !== this.origin) return false;
		this.#path = `${pathname}${search}`;
		return true;
	}
}

/** One exchange over as many requests as redirects ask for. */
class RemoteExchange implements Dispatcher.DispatchHandler, Exchange {
	readonly #handler: ExchangeHandler;
	readonly #follow: (location: string) => boolean;
	#dispatch: () => void = () => {};
	#controller: Dispatcher.DispatchController | undefined;
	#aborted = false;
	#redirects = 0;
	#redirecting = false;

	constructor(handler: ExchangeHandler, follow: (location: string) => boolean) {
		this.#handler = handler;
		this.#follow = follow;
	}

	start(dispatch: () => void): void {
		this.#dispatch = dispatch;
		dispatch();
	}

	abort(): void {
		this.#aborted = true;
		this.#controller?.abort(new Error("the exchange was broken off"));
	}

	pause(): void {
		this.#controller?.pause();
	}

	resume(): void {
		this.#controller?.resume();
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.#controller = controller;
		// What was broken off while it waited for a connection is never written.
		if (this.#aborted) controller.abort(new Error("the exchange was broken off"));
		else this.#handler.onSent();
	}

	onResponseStart(
		_controller: Dispatcher.DispatchController,
		status: number,
		headers: Headers,
	): void {
		if (status < 200) return;
		const location = headers["location"];
		if ((status === 307 || status === 308) && typeof location === "string") {
			this.#redirecting = this.#redirects < redirects_max && this.#follow(location);
			if (this.#redirecting) return;
		}
		this.#handler.onHead(status, headers);
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		if (!this.#redirecting) this.#handler.onData(chunk);
	}

	onResponseEnd(): void {
		if (!this.#redirecting) {
			this.#handler.onEnd();
			return;
		}
		this.#redirecting = false;
		this.#redirects += 1;
		this.#controller = undefined;
		this.#dispatch();
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		this.#handler.onError(error);
	}
}
