import { LineReader } from "../../wire/ndjson.ts";

/** Told what a pull is doing, in words, at most once for each thing. */
export type PullProgress = (line: string) => void;

const line_bytes_max = 64 * 1024;
/** Distinct steps told to people; images have a few dozen layers. */
const told_max = 50;
const text_chars_max = 300;

/**
 * Reads what an engine says while it pulls: a line of JSON a step, hundreds of them for the bytes
 * of every layer. People are told the steps without the counting.
 */
export class PullReader {
	readonly #progress: PullProgress;
	readonly #told = new Set<string>();
	readonly #lines: LineReader;
	#error: string | undefined;

	constructor(progress: PullProgress) {
		this.#progress = progress;
		this.#lines = new LineReader({
			line_bytes_max,
			onLine: (line) => this.#read(line),
			onOversize: () => {},
		});
	}

	/** Takes the next bytes of the answer. */
	push(bytes: Buffer): void {
		this.#lines.push(bytes);
	}

	/** The answer is over: why the pull failed, or undefined where it did not. */
	end(): string | undefined {
		this.#lines.end();
		return this.#error;
	}

	#read(line: Buffer): void {
		const { status, id, error } = stepOf(line);
		if (typeof error === "string") this.#error = error.slice(0, text_chars_max);
		// Lines with an id count the bytes of one layer.
		if (typeof status !== "string" || id !== undefined) return;
		const text = status.slice(0, text_chars_max);
		if (this.#told.has(text) || this.#told.size >= told_max) return;
		this.#told.add(text);
		this.#progress(text);
	}
}

function stepOf(line: Buffer): { status?: unknown; id?: unknown; error?: unknown } {
	try {
		const step: unknown = JSON.parse(line.toString("utf8"));
		return typeof step === "object" && step !== null ? step : {};
	} catch {
		return {};
	}
}
