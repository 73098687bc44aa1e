import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { Random } from "../../lib/random.ts";

/**
 * `requestState` of our own making: what a modern client carries between two rounds of one
 * call. It is attacker-controlled on its way back (MRTR, security), so it is encrypted and
 * authenticated; what it says is still checked against the call it names.
 */

/** What a sealed state says. */
export interface SealedState {
	/** The parked call. */
	readonly call: string;
	/** Which round of it this state answers. */
	readonly round: number;
	/** Who may answer. */
	readonly principal: string;
	/** Digest of endpoint, method and parameters: the retry must be the same request. */
	readonly request: string;
	readonly expires_at_ms: number;
}

const prefix = "moorage1.";
const algorithm = "aes-256-gcm";
const nonce_bytes = 12;
const tag_bytes = 16;
/** Length of the key that states are sealed with. */
export const seal_key_bytes = 32;

/** True when a state claims to be ours; a server's own states pass unopened. */
export function isSealed(state: string): boolean {
	return state.startsWith(prefix);
}

/** Seals a state into an opaque string. */
export function sealState(state: SealedState, key: Buffer, random: Random): string {
	const nonce = random.bytes(nonce_bytes);
	const cipher = createCipheriv(algorithm, key, nonce);
	cipher.setAAD(Buffer.from(prefix));
	const text = Buffer.concat([cipher.update(JSON.stringify(state), "utf8"), cipher.final()]);
	const sealed = Buffer.concat([nonce, cipher.getAuthTag(), text]);
	return prefix + sealed.toString("base64url");
}

/** Opens a sealed state; undefined when it was not sealed with this key or was altered. */
export function openState(sealed: string, key: Buffer): SealedState | undefined {
	if (!isSealed(sealed)) return undefined;
	const bytes = Buffer.from(sealed.slice(prefix.length), "base64url");
	if (bytes.length <= nonce_bytes + tag_bytes) return undefined;
	const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonce_bytes));
	decipher.setAAD(Buffer.from(prefix));
	decipher.setAuthTag(bytes.subarray(nonce_bytes, nonce_bytes + tag_bytes));
	try {
		const text = decipher.update(bytes.subarray(nonce_bytes + tag_bytes));
		return JSON.parse(Buffer.concat([text, decipher.final()]).toString("utf8")) as SealedState;
	} catch {
		return undefined;
	}
}

/** Members of params that differ between the rounds of one call. */
const round_members = new Set(["_meta", "inputResponses", "requestState"]);

/** The same for every round of one request, whatever the order of its members. */
export function requestDigest(endpoint: string, method: string, params: unknown): string {
	const fixed = Object.entries((params ?? {}) as Record<string, unknown>)
		.filter(([key]) => !round_members.has(key))
		.sort(([a], [b]) => (a < b ? -1 : 1));
	const text = JSON.stringify([endpoint, method, fixed.map(([k, v]) => [k, canonical(v)])]);
	return createHash("sha256").update(text).digest("base64url");
}

function canonical(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(canonical);
	if (typeof value !== "object" || value === null) return value;
	const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
	// Wrapped, so that an object never looks like the array of its entries.
	return { entries: entries.map(([key, inner]) => [key, canonical(inner)]) };
}
