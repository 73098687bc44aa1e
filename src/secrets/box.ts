import { createCipheriv, createDecipheriv } from "node:crypto";
import { assert } from "../lib/assert.ts";
import type { Random } from "../lib/random.ts";

/** Length of a box's key. */
export const box_key_bytes = 32;

const algorithm = "aes-256-gcm";
const nonce_bytes = 12;
const tag_bytes = 16;
/** Says how the rest is to be read, so that another form can come later. */
const prefix = "box1.";

/** Seals texts that are stored: AES-256-GCM with a fresh nonce each. */
export class SecretBox {
	readonly #key: Buffer;
	readonly #random: Random;

	constructor(key: Buffer, random: Random) {
		assert(key.length === box_key_bytes, `a box's key has ${box_key_bytes} bytes`);
		this.#key = key;
		this.#random = random;
	}

	/** Seals a text. What it is about is bound to it: it opens nowhere else. */
	seal(text: string, about: string): string {
		const nonce = this.#random.bytes(nonce_bytes);
		const cipher = createCipheriv(algorithm, this.#key, nonce);
		cipher.setAAD(Buffer.from(prefix + about));
		const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
		return prefix + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
	}

	/** The text, or undefined when it was sealed with another key or about something else. */
	open(sealed: string, about: string): string | undefined {
		if (!sealed.startsWith(prefix)) return undefined;
		const bytes = Buffer.from(sealed.slice(prefix.length), "base64url");
		if (bytes.length < nonce_bytes + tag_bytes) return undefined;
		const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, nonce_bytes));
		decipher.setAAD(Buffer.from(prefix + about));
		decipher.setAuthTag(bytes.subarray(nonce_bytes, nonce_bytes + tag_bytes));
		try {
			const text = decipher.update(bytes.subarray(nonce_bytes + tag_bytes));
			return Buffer.concat([text, decipher.final()]).toString("utf8");
		} catch {
			return undefined;
		}
	}
}
