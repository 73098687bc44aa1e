import { join } from "node:path";
import type { Random } from "../lib/random.ts";
import { box_key_bytes, type SecretBox } from "../secrets/box.ts";
import type { Disk } from "./disk.ts";
import { readKeyLine, type StoredKey, signedKey, writeKeyLine } from "./key-line.ts";
import type { Signer } from "./signing-key.ts";

/** Whose payloads a key seals, and of which class of calls. */
export interface KeyOwner {
	readonly tenant: string;
	readonly user: string;
	/** The class of the calls: `read`, `write`, ... */
	readonly risk: string;
}

/** A key that payloads are sealed with: of one person, one class and one day. */
export interface PayloadKey extends KeyOwner {
	readonly id: string;
	/** Days since the epoch (UTC). */
	readonly day: number;
	readonly key: Buffer;
}

/** The file in the audit folder that has the keys, each sealed with the audit's own key. */
export const keys_name = "keys";

const day_ms = 24 * 3_600_000;
const id_bytes = 9;
const about = "audit-payload-key";

/** What keys are read and made with. */
export interface PayloadKeysParts {
	readonly disk: Disk;
	readonly box: SecretBox;
	readonly random: Random;
	/** Whoever only reads needs none. */
	readonly signer?: Signer;
}

/**
 * The keys of payloads. Whoever destroys a key destroys every payload that was sealed with it, and
 * the chain, which has the sealed form, still verifies.
 */
export class PayloadKeys {
	readonly #path: string;
	readonly #disk: Disk;
	readonly #box: SecretBox;
	readonly #random: Random;
	readonly #signer: Signer | undefined;
	readonly #stored = new Map<string, StoredKey>();
	/** Opened keys by whose and when. */
	readonly #current = new Map<string, PayloadKey>();

	/**
	 * Reads the keys of a folder. With a signer, keys that an older version has made are signed.
	 * Throws on errors of the disk.
	 */
	constructor(folder: string, parts: PayloadKeysParts) {
		this.#path = join(folder, keys_name);
		this.#disk = parts.disk;
		this.#box = parts.box;
		this.#random = parts.random;
		this.#signer = parts.signer;
		const text = this.#disk.readIfThere(this.#path)?.toString("utf8") ?? "";
		for (const line of text.split("\n")) {
			const stored = readKeyLine(line);
			if (stored !== undefined) this.#stored.set(stored.id, stored);
		}
		if (this.#signer !== undefined) this.#signOld(this.#signer, !text.endsWith("\n"));
	}

	/** The key for what is sealed now. A new one is on the disk when this returns. */
	keyFor(owner: KeyOwner, now_ms: number): PayloadKey {
		const day = Math.floor(now_ms / day_ms);
		const place = JSON.stringify([owner.tenant, owner.user, owner.risk, day]);
		const known = this.#current.get(place);
		if (known !== undefined) return known;
		const made = this.#find(owner, day) ?? this.#make(owner, day);
		// Those of yesterday are not asked for again.
		if (this.#current.size > 10_000) this.#current.clear();
		this.#current.set(place, made);
		return made;
	}

	/** The key of an id; undefined where it was destroyed, or is of another installation. */
	open(id: string): PayloadKey | undefined {
		const stored = this.#stored.get(id);
		if (stored === undefined) return undefined;
		const key = this.#box.open(stored.key, aboutOf(stored));
		return key === undefined ? undefined : { ...stored, key: Buffer.from(key, "base64url") };
	}

	/** The ids of some keys. */
	idsOf(chosen: (key: KeyOwner & { readonly day: number }) => boolean): string[] {
		return [...this.#stored.values()].filter(chosen).map(({ id }) => id);
	}

	/** Destroys the keys of these ids. They are gone from the disk when it returns. */
	destroy(ids: readonly string[]): void {
		if (ids.length === 0) return;
		const gone = new Set(ids);
		this.#write([...this.#stored.values()].filter(({ id }) => !gone.has(id)));
		for (const id of ids) this.#stored.delete(id);
		this.#current.clear();
	}

	#find(owner: KeyOwner, day: number): PayloadKey | undefined {
		for (const stored of this.#stored.values()) {
			const { tenant, user, risk } = stored;
			const same = tenant === owner.tenant && user === owner.user && risk === owner.risk;
			if (same && stored.day === day) return this.open(stored.id);
		}
		return undefined;
	}

	#make({ tenant, user, risk }: KeyOwner, day: number): PayloadKey {
		const id = this.#random.bytes(id_bytes).toString("base64url");
		const key = this.#random.bytes(box_key_bytes);
		const named = { id, tenant, user, risk, day };
		const sealed = this.#box.seal(key.toString("base64url"), aboutOf(named));
		const stored = this.#signed({ ...named, key: sealed });
		const file = this.#disk.open(this.#path);
		try {
			this.#disk.write(file, Buffer.from(writeKeyLine(stored)));
			this.#disk.sync(file);
		} finally {
			this.#disk.close(file);
		}
		this.#stored.set(id, stored);
		return { ...named, key };
	}

	/**
	 * Keys of a version that signed none. Where one is signed, all were: what has lost its signature
	 * since is left to be found. A line that was cut short goes, so that none is written behind it.
	 */
	#signOld(signer: Signer, is_torn: boolean): void {
		const all = [...this.#stored.values()];
		const is_old = all.length > 0 && all.every(({ signature }) => signature === undefined);
		if (is_old) for (const key of all) this.#stored.set(key.id, signedKey(key, signer));
		if (is_old || (is_torn && all.length > 0)) this.#write([...this.#stored.values()]);
	}

	#signed(stored: StoredKey): StoredKey {
		return this.#signer === undefined ? stored : signedKey(stored, this.#signer);
	}

	#write(keys: readonly StoredKey[]): void {
		this.#disk.replace(this.#path, keys.map(writeKeyLine).join(""));
	}
}

function aboutOf({ id, tenant, user, risk, day }: Omit<StoredKey, "key">): string {
	return `${about} ${JSON.stringify([id, tenant, user, risk, day])}`;
}
