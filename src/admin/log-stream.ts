import type { Clock } from "../lib/clock.ts";
import type { LogLine } from "./contract.ts";
import { eventStream } from "./event-stream.ts";

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
	const { clock, lines, signal } = options;
	return eventStream({
		clock,
		signal,
		follow(send) {
			for (const line of lines) send("line", line);
			return options.follow((line) => send("line", line));
		},
		dropped: (count) => ({ lines: count }),
		onEnd: () => options.onEnd(),
	});
}
