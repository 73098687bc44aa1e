/**
 * The frames in which an engine sends a container's output over one connection: a byte that
 * says which stream, three zeros, the length as 32 bits (big endian), and that many bytes.
 */

const header_bytes = 8;

/** Which of a container's streams a frame belongs to. */
export type FrameStream = "stdout" | "stderr";

/** Who is told what was read. */
export interface FrameSink {
	/** Part of a stream, never empty; a frame may come in several parts. */
	onData(stream: FrameStream, bytes: Buffer): void;
	/** What was sent are no frames; nothing more is read. Called at most once. */
	onBroken(): void;
}

/**
 * Takes frames apart as their bytes come. The bytes of a frame are passed on at once, so that
 * a large one is never held in memory.
 */
export class FrameReader {
	readonly #sink: FrameSink;
	readonly #header = Buffer.alloc(header_bytes);
	#header_length = 0;
	#stream: FrameStream = "stdout";
	#left = 0;
	#broken = false;

	constructor(sink: FrameSink) {
		this.#sink = sink;
	}

	/** Reads the next bytes of the connection. */
	push(chunk: Buffer): void {
		let at = 0;
		while (at < chunk.length && !this.#broken) {
			at += this.#left > 0 ? this.#readBody(chunk, at) : this.#readHeader(chunk, at);
		}
	}

	#readBody(chunk: Buffer, at: number): number {
		const bytes = chunk.subarray(at, at + this.#left);
		this.#left -= bytes.length;
		this.#sink.onData(this.#stream, bytes);
		return bytes.length;
	}

	#readHeader(chunk: Buffer, at: number): number {
		const taken = chunk.copy(this.#header, this.#header_length, at);
		this.#header_length += taken;
		if (this.#header_length < header_bytes) return taken;
		this.#header_length = 0;
		const [kind] = this.#header;
		// 0 is what was sent to stdin; engines do not send it back, but the form allows it.
		if (kind === undefined || kind > 2 || this.#header.readUIntBE(1, 3) !== 0) {
			this.#broken = true;
			this.#sink.onBroken();
			return taken;
		}
		this.#stream = kind === 2 ? "stderr" : "stdout";
		this.#left = this.#header.readUInt32BE(4);
		return taken;
	}
}
