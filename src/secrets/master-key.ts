import { createHash } from "node:crypto";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { box_key_bytes } from "./box.ts";
import type { ValueProblem } from "./values.ts";

/** The key that the keys of a vault are sealed with. */
export interface MasterKey {
	readonly bytes: Buffer;
	/** Tells keys apart and says nothing of them. */
	readonly id: string;
}

/** Where a master key is kept. */
export interface MasterKeyStore {
	/** For people: "the file …". */
	readonly place: string;
	/**
	 * The key. Of two, as a rotation that was interrupted leaves them, the one that is `wanted`.
	 * Without a wanted one, and where there is none, one is made if that can be done here.
	 */
	load(wanted: string | undefined): Promise<Result<MasterKey, ValueProblem>>;
	/**
	 * Puts a new key beside the present one, so that neither is lost, whatever happens next;
	 * undefined where Moorage cannot write there.
	 */
	readonly prepare?: ((key: MasterKey) => Promise<Result<void, ValueProblem>>) | undefined;
	/** The new key takes the place of the old one. */
	readonly finish?: ((key: MasterKey) => Promise<Result<void, ValueProblem>>) | undefined;
}

/** A master key of these bytes. */
export function masterKeyOf(bytes: Buffer): MasterKey {
	const id = createHash("sha256").update("moorage master key\0").update(bytes).digest("hex");
	return { bytes, id: id.slice(0, 16) };
}

/** A new master key. */
export function drawMasterKey(random: Random): MasterKey {
	return masterKeyOf(random.bytes(box_key_bytes));
}

/** A key as it is written: 32 bytes in base64, base64url or hex. */
export function parseMasterKey(text: string, place: string): Result<MasterKey, ValueProblem> {
	const trimmed = text.trim();
	const hex = /^[0-9a-f]{64}$/i.test(trimmed);
	const bytes = Buffer.from(trimmed, hex ? "hex" : "base64url");
	const is_text = hex || /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed);
	if (is_text && bytes.length === box_key_bytes) return succeed(masterKeyOf(bytes));
	return fail({
		message: `What ${place} holds is no master key.`,
		next: `A key is ${box_key_bytes} bytes in base64 or hex: \`openssl rand -base64 32\` makes one.`,
	});
}

/** How a key is written. */
export function writeMasterKey(key: MasterKey): string {
	return key.bytes.toString("base64url");
}
