import { type KnownSecrets, SecretRedactor } from "../secrets/redactor.ts";
import type { NewSecrets } from "./messages.ts";

/** So many values are still taken out after they were forgotten. */
export const forgotten_max = 1_000;
/** Longer than any secret. */
const cut_bytes = 16 * 1024;

/**
 * Takes secrets out of payloads before they are sealed. It is done by the audit's thread: on the
 * gateway's it would take longer than all other evidence of a call, and more for each byte.
 */
export class PayloadRedaction {
	#redactor = new SecretRedactor();
	/** What is to be forgotten, the first of it first. */
	readonly #forgotten = new Set<string>();
	/** So many bytes of a payload are kept. */
	readonly bytes_max: number;

	constructor(bytes_max: number) {
		this.bytes_max = bytes_max;
	}

	/**
	 * Takes these values out from now on. What is forgotten is taken out for a while: it may stand in
	 * a payload that came before it was.
	 */
	learn({ values, tokens, forgotten, are_all }: NewSecrets): void {
		if (are_all) {
			this.#redactor = new SecretRedactor();
			this.#forgotten.clear();
		}
		for (const value of values) this.#redactor.add(value);
		for (const value of tokens) this.#redactor.tokens.add(value);
		for (const value of [...values, ...tokens]) this.#forgotten.delete(value);
		for (const value of forgotten) this.#forgotten.add(value);
		for (const value of this.#forgotten) {
			if (this.#forgotten.size <= forgotten_max) break;
			this.#forgotten.delete(value);
			this.#redactor.forget(value);
		}
	}

	/** Whether there is nothing to be taken out of payloads that stand one behind the other. */
	isClean(payloads: Buffer): boolean {
		try {
			return this.#redactor.bytes(payloads) === payloads;
		} catch {
			return false;
		}
	}

	/** What is kept of a payload; the same buffer where nothing is to be taken out. */
	clean(payload: Buffer): Buffer {
		const safe = this.#redactor.bytes(payload);
		// What grew by redaction is kept whole, so that it ends where the payload did.
		return payload.length > this.bytes_max ? safe.subarray(0, this.bytes_max) : safe;
	}
}

/** What the thread that takes secrets out has to be told, message by message. */
export class SecretNews {
	readonly #known: KnownSecrets;
	#thread: object | undefined;
	#version: number | undefined;

	constructor(known: KnownSecrets) {
		this.#known = known;
	}

	/** What this thread does not know yet; undefined where it knows everything. */
	since(thread: object): NewSecrets | undefined {
		if (thread !== this.#thread) this.#version = undefined;
		const { version, ...news } = this.#known.newsSince(this.#version);
		const is_same = version === this.#version;
		this.#thread = thread;
		this.#version = version;
		return is_same ? undefined : news;
	}
}

/** What of a payload goes to the thread: a little more than is kept, for a secret at the cut. */
export function headOf(payload: Buffer, bytes_max: number): Buffer {
	return payload.length <= bytes_max ? payload : payload.subarray(0, bytes_max + cut_bytes);
}
