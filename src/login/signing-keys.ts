import { generateKeyPair, type JsonWebKey } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import type { SecretBox } from "../secrets/box.ts";
import type { MetaRepository } from "../store/meta-repository.ts";

/** A key as it stands in a key set (RFC 7517). */
export interface SigningKey extends JsonWebKey {
	readonly kid: string;
	readonly alg: string;
	readonly use: "sig";
}

interface KeptKeys {
	/** The newest first: it signs. */
	readonly keys: readonly { readonly key: SigningKey; readonly created_at_ms: number }[];
	/** What cookies are signed with, the newest first. */
	readonly cookie_keys: readonly string[];
}

/** The algorithm everybody has to understand (RFC 9068 section 2.1). */
export const signing_algorithm = "RS256";
const modulus_bits = 2048;
const meta_key = "login_keys";
const cookie_key_bytes = 32;
const day_ms = 24 * 60 * 60 * 1000;
/** How long a key signs. */
const rotate_ms = 30 * day_ms;
/** How long a key that does not sign any more is published: longer than any token lives. */
const published_ms = rotate_ms + 2 * day_ms;

const makePair = promisify(generateKeyPair);

/** What keys are made and kept with. */
export interface SigningKeyOptions {
	readonly meta: MetaRepository;
	readonly box: SecretBox;
	readonly clock: Clock;
	readonly random: Random;
}

/** The keys that sign tokens and cookies: sealed in the store, new ones every month. */
export class SigningKeys {
	readonly #options: SigningKeyOptions;
	#kept: KeptKeys = { keys: [], cookie_keys: [] };

	constructor(options: SigningKeyOptions) {
		this.#options = options;
	}

	/** Reads the keys, and makes what is missing or due; true when they are others than before. */
	async refresh(): Promise<boolean> {
		const { meta, box, clock, random } = this.#options;
		const sealed = await meta.get(meta_key);
		const text = sealed === undefined ? undefined : box.open(sealed, meta_key);
		const kept =
			text === undefined ? { keys: [], cookie_keys: [] } : (JSON.parse(text) as KeptKeys);
		const now_ms = clock.now();
		const [newest] = kept.keys;
		if (newest !== undefined && now_ms - newest.created_at_ms < rotate_ms) {
			const changed = this.#kept.keys[0]?.key.kid !== newest.key.kid;
			this.#kept = kept;
			return changed;
		}
		const fresh = { key: await makeKey(random), created_at_ms: now_ms };
		const cookie_key = random.bytes(cookie_key_bytes).toString("base64url");
		const old = kept.keys.filter(({ created_at_ms }) => now_ms - created_at_ms < published_ms);
		this.#kept = {
			keys: [fresh, ...old],
			cookie_keys: [cookie_key, ...kept.cookie_keys].slice(0, 2),
		};
		await meta.set(meta_key, box.seal(JSON.stringify(this.#kept), meta_key));
		return true;
	}

	/** With private parts, the one that signs first. */
	get keys(): readonly SigningKey[] {
		return this.#kept.keys.map(({ key }) => key);
	}

	get cookie_keys(): readonly string[] {
		return this.#kept.cookie_keys;
	}

	/** What verifiers need: no private parts. */
	publicKeys(): { readonly keys: readonly SigningKey[] } {
		return {
			keys: this.keys.map(
				({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use }) as SigningKey,
			),
		};
	}
}

async function makeKey(random: Random): Promise<SigningKey> {
	const { privateKey } = await makePair("rsa", { modulusLength: modulus_bits });
	const kid = random.bytes(8).toString("base64url");
	return { ...privateKey.export({ format: "jwk" }), kid, alg: signing_algorithm, use: "sig" };
}
