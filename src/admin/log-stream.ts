import type { Clock, Timer } from "../lib/clock.ts";
import type { LogLine } from "./contract.ts";

/** Lines kept for a reader that is slower than the server writes; more are counted, not kept. */
const queue_lines_max = 1000;
/** A comment at least this often, so that nobody in between closes a quiet stream. */
const keep_alive_ms = 15_000;

/** What a log stream is made from. */
export interface LogStreamOptions {
	readonly clock: Clock;
	/** Lines that were already written, oldest first. */
	readonly lines: readonly LogLine[];
	/** Subscribes to further lines. */
	follow(listener: (line: LogLine) => void): () => void;
	/** Ends the stream from this side. */
	readonly signal: AbortSignal;
	/** Called once, however the stream ends. */
	onEnd(): void;
}

/**
 * A server's log as server-sent events: `line` events with a log line as JSON, and a
 * `dropped` event with a count where the reader was too slow. Memory is bounded: what does not
 * fit is counted and left out.
 */
export function logStream(options: LogStreamOptions): ReadableStream<Uint8Array> {
	const stream = new LogStream(options);
	return new ReadableStream(
		{
			start: (controller) => stream.start(controller),
			pull: () => stream.reportDropped(),
			cancel: () => stream.end(),
		},
		new CountQueuingStrategy({ highWaterMark: queue_lines_max }),
	);
}

class LogStream {
	readonly #options: LogStreamOptions;
	#controller: ReadableStreamDefaultController<Uint8Array> | undefined;
	#unsubscribe: (() => void) | undefined;
	#keep_alive: Timer | undefined;
	#dropped = 0;
	readonly #close = () => this.#closeHere();

	constructor(options: LogStreamOptions) {
		this.#options = options;
	}

	start(controller: ReadableStreamDefaultController<Uint8Array>): void {
		const { lines, signal } = this.#options;
		this.#controller = controller;
		// A first comment makes the head of the response go out at once.
		this.#write(": following\n\n");
		for (const line of lines) this.#line(line);
		this.#unsubscribe = this.#options.follow((line) => this.#line(line));
		this.#beatLater();
		if (signal.aborted) this.#closeHere();
		else signal.addEventListener("abort", this.#close, { once: true });
	}

	/** Tells a reader that has caught up how much it missed. */
	reportDropped(): void {
		if (this.#dropped === 0) return;
		const text = `event: dropped\ndata: ${JSON.stringify({ lines: this.#dropped })}\n\n`;
		this.#dropped = 0;
		this.#write(text);
	}

	end(): void {
		if (this.#controller === undefined) return;
		this.#controller = undefined;
		this.#unsubscribe?.();
		this.#keep_alive?.cancel();
		this.#options.signal.removeEventListener("abort", this.#close);
		this.#options.onEnd();
	}

	#line(line: LogLine): void {
		if ((this.#controller?.desiredSize ?? 0) <= 0) {
			this.#dropped += 1;
			return;
		}
		this.reportDropped();
		this.#write(`event: line\ndata: ${JSON.stringify(line)}\n\n`);
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
