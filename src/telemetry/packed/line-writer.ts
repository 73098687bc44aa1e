import { isoTime, micros } from "../line-text.ts";

/** A text of ASCII that is written again and again. */
export function ascii(text: string): Uint8Array {
	return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** Shorter than this it takes less to go from byte to byte than to ask the engine. */
const short_bytes_max = 48;
const zero = 0x30;
const dot = 0x2e;
const exact_ms_max = 1e9;

/**
 * Writes lines as bytes. The parts of a line are there as bytes already; put together as a text
 * first they would be copied three times more.
 */
export class LineWriter {
	#bytes: Uint8Array;
	/** Where the next byte goes. */
	at: number;

	/** Into memory that has room for all that is written; nothing more is checked. */
	constructor(bytes: Uint8Array, at: number) {
		this.#bytes = bytes;
		this.at = at;
	}

	/** Goes on at another place. */
	moveTo(bytes: Uint8Array, at: number): void {
		this.#bytes = bytes;
		this.at = at;
	}

	/** Bytes as they are. */
	bytes(from: Uint8Array): void {
		if (from.length > short_bytes_max) this.#bytes.set(from, this.at);
		else this.#copy(from, 0, from.length);
		this.at += from.length;
	}

	/** Some of other bytes. */
	part(from: Uint8Array, start: number, end: number): void {
		this.#copy(from, start, end);
		this.at += end - start;
	}

	/** A short text of ASCII. */
	text(text: string): void {
		const bytes = this.#bytes;
		const at = this.at;
		for (let n = 0; n < text.length; n += 1) bytes[at + n] = text.charCodeAt(n);
		this.at = at + text.length;
	}

	/** A number as JSON. */
	number(value: number): void {
		if (!Number.isSafeInteger(value) || value < 0) return this.text(String(value));
		let digits = 1;
		for (let power = 10; value >= power; power *= 10) digits += 1;
		this.#digits(value, digits);
	}

	/** Milliseconds to the microsecond, as JSON. */
	micros(duration_ms: number): void {
		const duration_us = Math.round(duration_ms * 1000);
		if (!(duration_us >= 0 && duration_ms < exact_ms_max)) {
			return this.text(String(micros(duration_ms)));
		}
		const whole_ms = Math.floor(duration_us / 1000);
		this.number(whole_ms);
		const rest_us = duration_us - whole_ms * 1000;
		if (rest_us === 0) return;
		this.#bytes[this.at] = dot;
		this.at += 1;
		if (rest_us % 100 === 0) this.#digits(rest_us / 100, 1);
		else if (rest_us % 10 === 0) this.#digits(rest_us / 10, 2);
		else this.#digits(rest_us, 3);
	}

	/** A wall-clock time in ISO 8601, in UTC. */
	time(at_ms: number): void {
		this.text(isoTime(at_ms));
	}

	#copy(from: Uint8Array, start: number, end: number): void {
		const bytes = this.#bytes;
		const shift = this.at - start;
		for (let n = start; n < end; n += 1) bytes[n + shift] = from[n] as number;
	}

	#digits(value: number, digits: number): void {
		let rest = value;
		for (let at = this.at + digits - 1; at >= this.at; at -= 1) {
			const next = Math.floor(rest / 10);
			this.#bytes[at] = zero + (rest - next * 10);
			rest = next;
		}
		this.at += digits;
	}
}
