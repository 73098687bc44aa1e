/** One event of a stream. */
export interface SeenEvent {
	readonly event: string;
	readonly data: string;
}

/**
 * The events in the pieces of an event stream. It is written anew, beside the one in `src/wire`,
 * so that a mistake there is not a mistake here.
 */
export class EventData {
	readonly #onEvent: (event: SeenEvent) => void;
	#rest: Buffer = Buffer.alloc(0);
	#event = "message";
	#data: string[] = [];

	constructor(onEvent: (event: SeenEvent) => void) {
		this.#onEvent = onEvent;
	}

	push(chunk: Buffer): void {
		this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
		let start = 0;
		for (let end = this.#rest.indexOf(0x0a); end >= 0; end = this.#rest.indexOf(0x0a, start)) {
			this.#line(this.#rest.toString("utf8", start, end).replace(/\r$/u, ""));
			start = end + 1;
		}
		this.#rest = this.#rest.subarray(start);
	}

	#line(line: string): void {
		if (line === "") {
			const data = this.#data.join("\n");
			if (data !== "") this.#onEvent({ event: this.#event, data });
			this.#event = "message";
			this.#data = [];
			return;
		}
		const colon = line.indexOf(":");
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /u, "");
		if (field === "event") this.#event = value;
		if (field === "data") this.#data.push(value);
	}
}
