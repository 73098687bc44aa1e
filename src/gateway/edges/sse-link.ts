import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Session } from "../../sessions/sessions.ts";
import { type Body, wholeBody } from "../../wire/body.ts";
import { encodeSseEvent, sse_comment_keep_alive } from "../../wire/sse.ts";
import type { Channel } from "./channel.ts";
import { keep_alive_ms, sse_headers } from "./http-reply.ts";
import type { PushChannel } from "./legacy-state.ts";

/** How long a client that lost its stream may take to open it again. */
const return_ms = 30_000;

/** What a link is made with. */
export interface SseLinkOptions {
	/** Unguessable: whoever posts under it speaks for this client. */
	readonly id: string;
	readonly endpoint: string;
	readonly principal: string;
	readonly clock: Clock;
	/** Aborts when the gateway stops: its sessions outlive their streams then. */
	readonly stopping: AbortSignal;
	/** Most bytes that wait for a client which does not read, or is away. */
	readonly waiting_bytes_max: number;
	/** The client is gone for good, or cannot be kept. Called once. */
	onOver(link: SseLink): void;
}

/**
 * One client of the HTTP+SSE transport (2024-11-05): everything it is told travels on one
 * stream. The transport has no resumption, but browsers and SDKs open a lost stream again by
 * themselves, so what they are owed is kept for a moment.
 */
export class SseLink {
	readonly #options: SseLinkOptions;
	readonly #gone = new AbortController();
	#response: ServerResponse | undefined;
	#waiting: Buffer[] = [];
	#waiting_bytes = 0;
	#timer: Timer | undefined;
	/** Set once the client has said `initialize`. */
	session: Session | undefined;

	constructor(options: SseLinkOptions) {
		this.#options = options;
	}

	get id(): string {
		return this.#options.id;
	}

	get principal(): string {
		return this.#options.principal;
	}

	/** Aborts when the link is over. */
	get signal(): AbortSignal {
		return this.#gone.signal;
	}

	/** True for the endpoint and the caller that opened it; it is unknown to all others. */
	belongsTo(endpoint: string, principal: string): boolean {
		return this.#options.endpoint === endpoint && this.#options.principal === principal;
	}

	/** Carries the link from now on; `address` is where the client posts its messages. */
	attach(
		response: ServerResponse,
		headers: Readonly<Record<string, string>>,
		address: string,
	): void {
		const former = this.#response;
		this.#response = response;
		former?.end();
		this.#timer?.cancel();
		response.writeHead(200, { ...headers, ...sse_headers });
		const event = encodeSseEvent({
			event: "endpoint",
			data: Buffer.from(address),
			...this.#mark(),
		});
		response.write(event);
		const waiting = this.#waiting.splice(0);
		this.#waiting_bytes = 0;
		for (const bytes of waiting) response.write(bytes);
		response.once("close", () => this.#detach(response));
		this.#keepAlive();
	}

	/** Sends one message. */
	send(data: Buffer): void {
		if (this.#gone.signal.aborted) return;
		const bytes = encodeSseEvent({ event: "message", data, ...this.#mark() });
		const waiting = this.#response?.writableLength ?? this.#waiting_bytes;
		if (waiting > 0 && waiting + bytes.length > this.#options.waiting_bytes_max) {
			this.close();
			return;
		}
		if (this.#response !== undefined) {
			this.#response.write(bytes);
			return;
		}
		this.#waiting.push(bytes);
		this.#waiting_bytes += bytes.length;
	}

	/** Ends the stream, but not the link: its client may open the stream again for a while. */
	hangUp(): void {
		this.#response?.end();
	}

	/** Ends the link and its stream. Idempotent. */
	close(): void {
		if (this.#gone.signal.aborted) return;
		this.#gone.abort();
		this.#timer?.cancel();
		this.#waiting = [];
		this.#response?.end();
		this.#options.onOver(this);
	}

	/** An EventSource that comes back names the last mark it saw: the session it belongs to. */
	#mark(): { id?: string } {
		return this.session === undefined ? {} : { id: this.session.id };
	}

	#detach(response: ServerResponse): void {
		if (this.#response !== response) return;
		this.#response = undefined;
		this.#timer?.cancel();
		if (this.#options.stopping.aborted) return;
		if (this.session === undefined) this.close();
		else this.#timer = this.#options.clock.afterIdle(return_ms, () => this.close());
	}

	#keepAlive(): void {
		this.#timer = this.#options.clock.afterIdle(keep_alive_ms, () => {
			this.#response?.write(sse_comment_keep_alive);
			this.#keepAlive();
		});
	}
}

/** The way back for one request of such a client: its reply is one message among the others. */
export class SseChannel implements Channel {
	readonly takes_streams = true;
	readonly #link: SseLink;
	#finished = false;

	constructor(link: SseLink) {
		this.#link = link;
	}

	get finished(): boolean {
		return this.#finished;
	}

	send(bytes: Buffer): void {
		if (!this.#finished) this.#link.send(bytes);
	}

	finish(body: Body, _status: number): void {
		this.send(wholeBody(body));
		this.#finished = true;
	}

	end(_status: number): void {
		this.#finished = true;
	}
}

/** What is pushed to such a client, for as long as its session lives. */
export class SsePush implements PushChannel {
	readonly takes_streams = true;
	readonly stream = undefined;
	readonly #link: SseLink;
	readonly #forget: () => void;
	#finished = false;

	constructor(link: SseLink, listen: (push: SsePush) => () => void) {
		this.#link = link;
		this.#forget = listen(this);
	}

	get finished(): boolean {
		return this.#finished;
	}

	send(bytes: Buffer): void {
		if (!this.#finished) this.#link.send(bytes);
	}

	finish(body: Body, _status: number): void {
		this.send(wholeBody(body));
		this.end();
	}

	end(): void {
		this.#finished = true;
		this.#forget();
	}

	abandon(): void {
		this.end();
	}
}
