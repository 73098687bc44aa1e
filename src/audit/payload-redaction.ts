import { type KnownSecrets, SecretRedactor } from "../secrets/redactor.ts";
import type { NewSecrets } from "./messages.ts";

/** Longer than any secret. */
const cut_bytes = 16 * 1024;

/**
 * Takes secrets out of payloads before they are sealed. It is done by the audit's thread: on the
 * gateway's it would take longer than all other evidence of a call, and more for each byte.
 */
export class PayloadRedaction {
	#redactor = new SecretRedactor();
	readonly #bytes_max: number;

	/** For payloads of which so many bytes are kept. */
	constructor(bytes_max: number) {
		this.#bytes_max = bytes_max;
	}

	/** Takes these values out from now on. */
	learn({ values, are_all }: NewSecrets): void {
		if (are_all) this.#redactor = new SecretRedactor();
		for (const value of values) this.#redactor.add(value);
	}

	/** What is kept of a payload; the same buffer where nothing is to be taken out. */
	clean(payload: Buffer): Buffer {
		const safe = this.#redactor.bytes(payload);
		// What grew by redaction is kept whole, so that it ends where the payload did.
		return payload.length > this.#bytes_max ? safe.subarray(0, this.#bytes_max) : safe;
	}
}

/** So many values may be good for nothing before a thread is told of all again. */
const forgotten_max = 1_000;

/** What the thread that takes secrets out has to be told, message by message. */
export class SecretNews {
	readonly #known: KnownSecrets;
	#thread: object | undefined;
	#changes = 0;
	#forgotten = 0;

	constructor(known: KnownSecrets) {
		this.#known = known;
	}

	/** What this thread does not know yet; undefined where it knows everything. */
	since(thread: object): NewSecrets | undefined {
		const { changes, forgotten } = this.#known;
		const are_all = thread !== this.#thread || forgotten - this.#forgotten > forgotten_max;
		if (!are_all && changes === this.#changes) return undefined;
		const values = this.#known.valuesSince(are_all ? 0 : this.#changes);
		if (are_all) this.#forgotten = forgotten;
		this.#thread = thread;
		this.#changes = changes;
		return { values, are_all };
	}
}

/** What of a payload goes to the thread: a little more than is kept, for a secret at the cut. */
export function headOf(payload: Buffer, bytes_max: number): Buffer {
	return payload.length <= bytes_max ? payload : payload.subarray(0, bytes_max + cut_bytes);
}
