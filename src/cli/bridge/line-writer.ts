import type { Writable } from "node:stream";
import { toLine } from "../../wire/ndjson.ts";

/**
 * Writes messages as lines. A writer that is slower than the gateway holds the gateway back:
 * `write` resolves when the stream has room again.
 */
export class LineWriter {
	readonly #stream: Writable;
	readonly #broken = new AbortController();
	#draining: Promise<void> | undefined;

	constructor(stream: Writable) {
		this.#stream = stream;
		const broke = () => this.#broken.abort();
		stream.once("error", broke);
		stream.once("close", broke);
	}

	/** Aborts when the other end is gone: nobody reads any more. */
	get broken(): AbortSignal {
		return this.#broken.signal;
	}

	/** Writes a message as one line, whole and never inside another. */
	async write(message: Buffer): Promise<void> {
		if (this.#broken.signal.aborted) return;
		const has_room = this.#stream.write(toLine(message));
		if (!has_room) await this.#drained();
	}

	/** Resolves when everything written has been handed over. */
	async flush(): Promise<void> {
		if (this.#stream.writableNeedDrain && !this.#broken.signal.aborted) await this.#drained();
	}

	#drained(): Promise<void> {
		this.#draining ??= new Promise((resolve) => {
			const done = () => {
				this.#stream.removeListener("drain", done);
				this.#broken.signal.removeEventListener("abort", done);
				this.#draining = undefined;
				resolve();
			};
			this.#stream.once("drain", done);
			this.#broken.signal.addEventListener("abort", done, { once: true });
		});
		return this.#draining;
	}
}
