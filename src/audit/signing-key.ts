import {
	createPrivateKey,
	createPublicKey,
	hash,
	type KeyObject,
	sign,
	verify as verifySignature,
} from "node:crypto";
import { assert } from "../lib/assert.ts";

/** Length of the seed that an Ed25519 key is made from (RFC 8032, section 5.1.5). */
export const seed_bytes = 32;

/** What stands before a seed in PKCS #8, and before a public key in SPKI (RFC 8410, section 7). */
const pkcs8_head = Buffer.from("302e020100300506032b657004220420", "hex");
const spki_head = Buffer.from("302a300506032b6570032100", "hex");
const public_key_bytes = 32;

/** Signs checkpoints. */
export interface Signer {
	readonly verifier: Verifier;
	sign(text: string): Buffer;
}

/** Checks signatures of checkpoints. */
export interface Verifier {
	/** The public key, as base64 of its 32 bytes: what one pins elsewhere. */
	readonly public_key: string;
	verify(text: string, signature: Buffer): boolean;
}

/** The signing key of a seed. */
export function signerOf(seed: Buffer): Signer {
	assert(seed.length === seed_bytes, `a seed has ${seed_bytes} bytes`);
	const key = createPrivateKey({
		key: Buffer.concat([pkcs8_head, seed]),
		format: "der",
		type: "pkcs8",
	});
	return {
		verifier: verifierOf(createPublicKey(key)),
		sign: (text) => sign(null, Buffer.from(text), key),
	};
}

/** The verifier of a public key as `public_key` has it; undefined where that is none. */
export function verifierFrom(public_key: string): Verifier | undefined {
	const bytes = Buffer.from(public_key.trim(), "base64");
	if (bytes.length !== public_key_bytes) return undefined;
	try {
		const der = Buffer.concat([spki_head, bytes]);
		return verifierOf(createPublicKey({ key: der, format: "der", type: "spki" }));
	} catch {
		return undefined;
	}
}

function verifierOf(key: KeyObject): Verifier {
	const der = key.export({ format: "der", type: "spki" });
	return {
		public_key: der.subarray(spki_head.length).toString("base64"),
		verify: (text, signature) => verifySignature(null, Buffer.from(text), key, signature),
	};
}

/** The four bytes that name a key in a signed note: C2SP signed-note, section "Signatures". */
export function keyHash(name: string, public_key: string): Buffer {
	if (last.name !== name || last.public_key !== public_key) {
		last = { name, public_key, hash: hashOf(name, public_key) };
	}
	return last.hash;
}

/** There is one name, and nearly always one key. */
let last: { readonly name: string; readonly public_key: string; readonly hash: Buffer } = {
	...{ name: "", public_key: "", hash: Buffer.alloc(0) },
};

function hashOf(name: string, public_key: string): Buffer {
	const ed25519 = 1;
	const content = Buffer.concat([
		Buffer.from(`${name}\n`),
		Buffer.from([ed25519]),
		Buffer.from(public_key, "base64"),
	]);
	return Buffer.from(hash("sha256", content, "hex"), "hex").subarray(0, 4);
}
