import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import type { Random } from "../lib/random.ts";
import type { JsonWriter } from "./chain.ts";
import type { PayloadKey } from "./payload-keys.ts";

/**
 * Payloads stand in the chain in blocks: those of one person that were appended together, one
 * behind the other, sealed as one (AES-256-GCM). The entry of a call says where in which block
 * its own are.
 */
export interface Block {
	readonly kind: "block";
	readonly at_ms: number;
	/** Id of the key it is sealed with. */
	readonly key: string;
	readonly nonce: string;
	readonly data: string;
}

const algorithm = "aes-256-gcm";
const nonce_bytes = 12;
const tag_bytes = 16;
/** So much becomes text at once, with no end that is filled up: as a whole it may be megabytes. */
const text_bytes = 24 * 1024;

/** Seals payloads as the entry of a number; gives its JSON. */
export function sealBlock(
	seq: number,
	key: PayloadKey,
	payloads: readonly Uint8Array[],
	parts: { readonly random: Random; readonly at_ms: number },
): JsonWriter {
	const nonce = parts.random.bytes(nonce_bytes);
	const cipher = createCipheriv(algorithm, keyObjectOf(key), nonce);
	cipher.setAAD(aboutOf(seq, key.id));
	const sealed = payloads.map((payload) => cipher.update(payload));
	sealed.push(cipher.final(), cipher.getAuthTag());
	const data = Buffer.concat(sealed);
	const block: Block = {
		...{ kind: "block", at_ms: parts.at_ms, key: key.id },
		...{ nonce: nonce.toString("base64"), data: "" },
	};
	return jsonOf(block, data);
}

/** The JSON of a block with this data. */
function jsonOf(block: Block, data: Buffer): JsonWriter {
	const begin = JSON.stringify(block).slice(0, -end.length);
	return {
		bytes_max: 3 * begin.length + 4 * Math.ceil(data.length / 3) + end.length,
		write(bytes, at) {
			let to = at + bytes.write(begin, at, "utf8");
			for (let from = 0; from < data.length; from += text_bytes) {
				const text = data.toString("base64", from, Math.min(from + text_bytes, data.length));
				to += bytes.write(text, to, "latin1");
			}
			return to + bytes.write(end, to, "latin1");
		},
	};
}

/** What stands behind the data. */
const end = '"}';

/** From bytes a key is made anew for each block, which takes longer than to seal a small one. */
function keyObjectOf(key: PayloadKey): KeyObject {
	const known = key_objects.get(key);
	if (known !== undefined) return known;
	const made = createSecretKey(key.key);
	key_objects.set(key, made);
	return made;
}

const key_objects = new WeakMap<PayloadKey, KeyObject>();

/** What a block holds; undefined where it was altered or is sealed with another key. */
export function openBlock(seq: number, block: Block, key: PayloadKey): Buffer | undefined {
	const data = Buffer.from(block.data, "base64");
	if (data.length < tag_bytes) return undefined;
	const decipher = createDecipheriv(algorithm, key.key, Buffer.from(block.nonce, "base64"));
	decipher.setAAD(aboutOf(seq, block.key));
	decipher.setAuthTag(data.subarray(data.length - tag_bytes));
	try {
		const text = decipher.update(data.subarray(0, data.length - tag_bytes));
		return Buffer.concat([text, decipher.final()]);
	} catch {
		return undefined;
	}
}

function aboutOf(seq: number, key: string): Buffer {
	return Buffer.from(`audit-block ${seq} ${key}`);
}
