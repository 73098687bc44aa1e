import type { ChainHead } from "./chain.ts";
import { keyHash, type Signer, type Verifier } from "./signing-key.ts";

/**
 * A checkpoint says, signed, where the chain stood at a moment. It has the form of a signed note
 * (C2SP signed-note): text, an empty line, and a signature line. Kept somewhere else, it proves
 * later that everything up to there is still as it was.
 */
export interface Checkpoint extends ChainHead {
	readonly at_ms: number;
}

/** The name under which the log signs. */
const origin = "moorage-audit";
const signature_bytes = 64;

/** A checkpoint as a signed note. */
export function writeCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
	const text = textOf(checkpoint);
	const id = keyHash(origin, signer.verifier.public_key);
	const signature = Buffer.concat([id, signer.sign(text)]).toString("base64");
	return `${text}\n\u2014 ${origin} ${signature}\n`;
}

const note_form =
	/^moorage-audit\n(\d{1,16})\n([\w-]{43})\n(\d{1,16})\n\n\u2014 moorage-audit ([A-Za-z0-9+/=]+)\n$/;

/** What a note says if it is signed by this key; undefined where it is not, or is no note. */
export function readCheckpoint(note: string, verifier: Verifier): Checkpoint | undefined {
	const found = note_form.exec(note);
	if (found === null) return undefined;
	const [, seq = "", own = "", at_ms = "", signature = ""] = found;
	const bytes = Buffer.from(signature, "base64");
	if (bytes.length !== 4 + signature_bytes) return undefined;
	// One way to write the signature, so that no byte of the note is free.
	if (bytes.toString("base64") !== signature) return undefined;
	if (!bytes.subarray(0, 4).equals(keyHash(origin, verifier.public_key))) return undefined;
	const checkpoint = { seq: Number(seq), hash: own, at_ms: Number(at_ms) };
	const text = textOf(checkpoint);
	// A number with leading zeros would read as the same one.
	if (!note.startsWith(`${text}\n`)) return undefined;
	return verifier.verify(text, bytes.subarray(4)) ? checkpoint : undefined;
}

function textOf({ seq, hash, at_ms }: Checkpoint): string {
	return `${origin}\n${seq}\n${hash}\n${at_ms}\n`;
}
