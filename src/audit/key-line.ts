import type { Signer, Verifier } from "./signing-key.ts";

/** A key of payloads as it stands in the file `keys`: a line of JSON. */
export interface StoredKey {
	readonly id: string;
	readonly tenant: string;
	readonly user: string;
	/** The class of the calls: `read`, `write`, ... */
	readonly risk: string;
	/** Days since the epoch (UTC). */
	readonly day: number;
	/** The key in a `SecretBox`. */
	readonly key: string;
	/** Of everything before it, as base64; keys of older installations are signed at their start. */
	readonly signature?: string;
}

/** What a file of keys was found to be. */
export type KeysFault = {
	/** Counts from 1. */
	readonly line: number;
	readonly kind: "altered" | "unsigned";
};

/** A key with the signature that shows that nobody has altered it since. */
export function signedKey(stored: StoredKey, signer: Signer): StoredKey {
	return { ...stored, signature: signer.sign(signedText(stored)).toString("base64") };
}

/** A key as a line, its end included. */
export function writeKeyLine({ id, tenant, user, risk, day, key, signature }: StoredKey): string {
	return `${JSON.stringify({ id, tenant, user, risk, day, key, signature })}\n`;
}

/** The key of a line without its end; undefined where it is none, as when it was cut short. */
export function readKeyLine(line: string): StoredKey | undefined {
	if (line === "") return undefined;
	try {
		return JSON.parse(line) as StoredKey;
	} catch {
		return undefined;
	}
}

/**
 * The first line of a file of keys that is not as it was written. The last one may have been cut
 * short by the machine's end, before anything was sealed with its key.
 */
export function findKeysFault(bytes: Buffer, verifier: Verifier): KeysFault | undefined {
	const text = bytes.toString("utf8");
	const lines = text.split("\n");
	const torn = lines.pop() ?? "";
	for (const [index, line] of lines.entries()) {
		const kind = faultOf(line, verifier);
		if (kind !== undefined) return { line: index + 1, kind };
	}
	// What has lost its end only was a whole line, which is never written in two parts.
	const was_whole = [torn, torn.slice(0, -1)].some((one) => faultOf(one, verifier) === undefined);
	return was_whole ? { line: lines.length + 1, kind: "altered" } : undefined;
}

function faultOf(line: string, verifier: Verifier): KeysFault["kind"] | undefined {
	const stored = readKeyLine(line);
	// In one way only, so that no byte of it is free.
	if (stored === undefined || `${line}\n` !== writeKeyLine(stored)) return "altered";
	if (stored.signature === undefined) return "unsigned";
	const signature = Buffer.from(stored.signature, "base64");
	if (signature.toString("base64") !== stored.signature) return "altered";
	return verifier.verify(signedText(stored), signature) ? undefined : "altered";
}

function signedText(stored: StoredKey): string {
	return `moorage-audit-key\n${writeKeyLine({ ...stored, signature: undefined as never })}`;
}
