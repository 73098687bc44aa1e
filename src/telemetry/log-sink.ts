import { close, constants, openSync, write, writeSync } from "node:fs";
import type { Clock } from "../lib/clock.ts";

/** What a sink writes to. */
export interface LogSinkOptions {
	readonly clock: Clock;
	/** An open file descriptor, which stays open, or the path of a file to append to. */
	readonly target: number | string;
	/** Most bytes that wait for a slow reader; 4 MiB unless given. */
	readonly waiting_bytes_max?: number;
}

/** How long to wait before asking a full pipe again. */
const again_ms = 20;

/** The same for a disk that is full, whose lines wait for room. */
const full_ms = 1_000;
const full_codes: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** How long a flush waits for a reader that takes nothing. */
const flush_ms_max = 2_000;

/**
 * Writes log lines in the background, in order, many at once. Whoever logs never waits: when
 * the reader is too slow, lines are dropped and counted; when it is gone, all are.
 */
export class LogSink {
	readonly #clock: Clock;
	readonly #fd: number;
	readonly #owns_fd: boolean;
	readonly #waiting_bytes_max: number;
	/** Called with the number of dropped lines, once there is room again. */
	onDropped: (lines: number) => void = () => undefined;
	/** Called once nothing can be written any more, with the code of why. */
	onGone: (code: string) => void = () => undefined;
	#lines: string[] = [];
	#lines_bytes = 0;
	/** What is being written now. */
	#chunk: Buffer | undefined;
	#dropped = 0;
	#lines_lost = 0;
	#gone = false;
	#idle: (() => void)[] = [];

	/** Throws when the file cannot be opened. */
	constructor(options: LogSinkOptions) {
		this.#clock = options.clock;
		this.#owns_fd = typeof options.target === "string";
		const { O_APPEND, O_CREAT, O_WRONLY } = constants;
		this.#fd =
			typeof options.target === "string"
				? openSync(options.target, O_APPEND | O_CREAT | O_WRONLY, 0o600)
				: options.target;
		this.#waiting_bytes_max = options.waiting_bytes_max ?? 4 * 1024 * 1024;
	}

	/** Lines that were not written, since the start. */
	get lines_lost(): number {
		return this.#lines_lost;
	}

	/** Takes one line or several, each with its newline. */
	write(lines: string): void {
		const bytes = Buffer.byteLength(lines);
		if (this.#gone || this.#lines_bytes + bytes > this.#waiting_bytes_max) {
			const count = linesIn(lines);
			this.#dropped += count;
			this.#lines_lost += count;
			return;
		}
		this.#lines.push(lines);
		this.#lines_bytes += bytes;
		if (this.#chunk === undefined) this.#next();
	}

	/** Resolves when every line so far has been written, or the reader takes none for too long. */
	flush(): Promise<void> {
		if (this.#chunk === undefined) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = this.#clock.after(flush_ms_max, resolve);
			this.#idle.push(() => {
				timer.cancel();
				resolve();
			});
		});
	}

	/** Writes what waits before it returns. Lines that are on their way may be written twice. */
	flushNow(): void {
		const rest = Buffer.concat([this.#chunk ?? Buffer.alloc(0), this.#take()]);
		try {
			let start = 0;
			while (start < rest.length) start += writeSync(this.#fd, rest, start);
		} catch {
			// The reader is gone or takes no more, and there is no time left to wait for it.
			this.#gone = true;
		}
	}

	/** Writes what waits; then closes the file if it opened it. Later lines are dropped. */
	async close(): Promise<void> {
		await this.flush();
		if (this.#gone) return;
		this.#gone = true;
		if (this.#owns_fd) await new Promise<void>((resolve) => close(this.#fd, () => resolve()));
	}

	#take(): Buffer {
		const text = this.#lines.join("");
		this.#lines = [];
		this.#lines_bytes = 0;
		return Buffer.from(text);
	}

	#next(): void {
		if (this.#lines.length === 0 && this.#dropped > 0 && !this.#gone) this.#tellDropped();
		if (this.#lines.length === 0) {
			this.#chunk = undefined;
			for (const resolve of this.#idle.splice(0)) resolve();
			return;
		}
		this.#chunk = this.#take();
		this.#writeChunk();
	}

	#tellDropped(): void {
		const lines = this.#dropped;
		this.#dropped = 0;
		this.onDropped(lines);
	}

	#writeChunk(): void {
		// It may have been closed meanwhile, and its number be another file's.
		if (this.#gone) return;
		const chunk = this.#chunk as Buffer;
		write(this.#fd, chunk, (error, written) => {
			if (error === null || error === undefined) {
				this.#chunk = chunk.subarray(written);
				if (written < chunk.length) this.#writeChunk();
				else this.#next();
				return;
			}
			if (error.code === "EAGAIN" || error.code === "EBUSY") {
				this.#clock.after(again_ms, () => this.#writeChunk());
			} else if (full_codes.has(error.code)) {
				this.#clock.after(full_ms, () => this.#writeChunk());
			} else this.#lose(chunk, error.code ?? error.name);
		});
	}

	/** Nothing can be written any more; it cannot be said here either. */
	#lose(chunk: Buffer, code: string): void {
		this.#gone = true;
		this.#lines_lost += linesIn(chunk.toString()) + linesIn(this.#take().toString());
		this.#next();
		this.onGone(code);
	}
}

function linesIn(text: string): number {
	return text.split("\n").length - 1;
}
