import { atEndOfTurn } from "../../lib/turn.ts";
import { toLine } from "../../wire/ndjson.ts";
import type { PendingCall } from "../pending.ts";

/** Bytes that may wait for a server that does not read. One message is always accepted. */
const queued_bytes_max = 16 * 1024 * 1024;

/** A message waiting to be written, and the call it begins, if any. */
interface Waiting {
	readonly line: Buffer;
	readonly call: PendingCall | undefined;
}

/**
 * What waits to be written to a server's standard input. Everything that comes in one turn of
 * the event loop leaves in one write; while a write is under way the next one gathers. So a
 * call is known to be unseen until its bytes are handed to the kernel, and one that is
 * cancelled before is never sent.
 */
export class Outbox {
	readonly #stdin: NodeJS.WritableStream;
	#waiting: Waiting[] = [];
	#waiting_bytes = 0;
	#written_bytes = 0;
	#scheduled = false;
	#writing = false;
	#closed = false;

	constructor(stdin: NodeJS.WritableStream) {
		this.#stdin = stdin;
	}

	/** True when so much waits that nothing more should be accepted. */
	get is_full(): boolean {
		return this.#waiting_bytes + this.#written_bytes > queued_bytes_max;
	}

	/** Queues a message; `call` is marked as written when its bytes leave. */
	push(message: Buffer, call: PendingCall | undefined): void {
		this.pushLine(toLine(message), call);
	}

	/** The same of a message that is one line already, with its newline. */
	pushLine(line: Buffer, call: PendingCall | undefined): void {
		if (this.#closed) return;
		this.#waiting.push({ line, call });
		this.#waiting_bytes += line.length;
		if (this.#scheduled || this.#writing) return;
		this.#scheduled = true;
		atEndOfTurn(this.#flush);
	}

	/** Drops what waits; nothing is accepted any more. */
	close(): void {
		this.#closed = true;
		this.#waiting = [];
		this.#waiting_bytes = 0;
	}

	readonly #flush = (): void => {
		this.#scheduled = false;
		const lines: Buffer[] = [];
		for (const { line, call } of this.#waiting) {
			if (call?.settled === true) continue;
			if (call !== undefined) call.written = true;
			lines.push(line);
		}
		this.#waiting = [];
		this.#waiting_bytes = 0;
		if (lines.length === 0) return;
		const bytes = lines.length === 1 ? (lines[0] as Buffer) : Buffer.concat(lines);
		this.#writing = true;
		this.#written_bytes = bytes.length;
		this.#stdin.write(bytes, this.#wrote);
	};

	readonly #wrote = (): void => {
		this.#writing = false;
		this.#written_bytes = 0;
		// A failed write ends the stream, and that is reported where the stream is watched.
		if (this.#waiting.length > 0) this.#flush();
	};
}
