import type { Clock, Timer } from "../lib/clock.ts";

/** Events kept for a reader that is slower than they come; more are counted, not kept. */
const queue_events_max = 1000;
/** A comment at least this often, so that nobody in between closes a quiet stream. */
const keep_alive_ms = 15_000;

/** Sends one event: its type and its data, which becomes JSON. */
export type SendEvent = (type: string, data: unknown) => void;

/** What a stream is made from. */
export interface EventStreamOptions {
	readonly clock: Clock;
	/** Sends what there is already, and subscribes to what comes; returns how to unsubscribe. */
	follow(send: SendEvent): () => void;
	/** What a reader that has caught up is told of what it missed. */
	dropped(count: number): unknown;
	/** Ends the stream from this side. */
	readonly signal: AbortSignal;
	/** Called once, however the stream ends. */
	onEnd(): void;
}

/** Server-sent events in bounded memory: what a slow reader does not take is counted, not kept. */
export function eventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
	const stream = new EventStream(options);
	return new ReadableStream(
		{
			start: (controller) => stream.start(controller),
			pull: () => stream.reportDropped(),
			cancel: () => stream.end(),
		},
		new CountQueuingStrategy({ highWaterMark: queue_events_max }),
	);
}

/** The response that a stream goes out with. */
export function eventStreamResponse(stream: ReadableStream<Uint8Array>): Response {
	return new Response(stream, {
		headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
	});
}

class EventStream {
	readonly #options: EventStreamOptions;
	#controller: ReadableStreamDefaultController<Uint8Array> | undefined;
	#unsubscribe: (() => void) | undefined;
	#keep_alive: Timer | undefined;
	#dropped = 0;
	readonly #close = () => this.#closeHere();

	constructor(options: EventStreamOptions) {
		this.#options = options;
	}

	start(controller: ReadableStreamDefaultController<Uint8Array>): void {
		const { signal } = this.#options;
		this.#controller = controller;
		// A first comment makes the head of the response go out at once.
		this.#write(": following\n\n");
		this.#unsubscribe = this.#options.follow((type, data) => this.#send(type, data));
		this.#beatLater();
		if (signal.aborted) this.#closeHere();
		else signal.addEventListener("abort", this.#close, { once: true });
	}

	/** Tells a reader that has caught up how much it missed. */
	reportDropped(): void {
		if (this.#dropped === 0) return;
		const count = this.#dropped;
		this.#dropped = 0;
		this.#write(framed("dropped", this.#options.dropped(count)));
	}

	end(): void {
		if (this.#controller === undefined) return;
		this.#controller = undefined;
		this.#unsubscribe?.();
		this.#keep_alive?.cancel();
		this.#options.signal.removeEventListener("abort", this.#close);
		this.#options.onEnd();
	}

	#send(type: string, data: unknown): void {
		if ((this.#controller?.desiredSize ?? 0) <= 0) {
			this.#dropped += 1;
			return;
		}
		this.reportDropped();
		this.#write(framed(type, data));
	}

	#beatLater(): void {
		this.#keep_alive = this.#options.clock.afterIdle(keep_alive_ms, () => {
			if ((this.#controller?.desiredSize ?? 0) > 0) this.#write(": keep-alive\n\n");
			this.#beatLater();
		});
	}

	#write(text: string): void {
		this.#controller?.enqueue(Buffer.from(text));
	}

	#closeHere(): void {
		const controller = this.#controller;
		this.end();
		controller?.close();
	}
}

/** News go to everybody who looks: what is the same for all of them is written once. */
const written = new WeakMap<object, { readonly type: string; readonly text: string }>();

function framed(type: string, data: unknown): string {
	const known = typeof data === "object" && data !== null ? written.get(data) : undefined;
	if (known?.type === type) return known.text;
	const text = `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
	if (typeof data === "object" && data !== null) written.set(data, { type, text });
	return text;
}
