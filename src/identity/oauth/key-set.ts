import {
	type CryptoKey,
	createLocalJWKSet,
	errors,
	type FlattenedJWSInput,
	type JSONWebKeySet,
	type JWSHeaderParameters,
	type LocalJWKSet,
} from "jose";
import * as z from "zod";
import type { Clock } from "../../lib/clock.ts";
import type { GuardedFetch } from "../../lib/guarded-fetch.ts";
import { messageOf } from "./issuer-metadata.ts";

/** Finds the key of a token; rejects with jose's errors, or with `KeysUnavailable`. */
export type FindKey = (
	header?: JWSHeaderParameters,
	token?: FlattenedJWSInput,
) => Promise<CryptoKey>;

/** The issuer's keys cannot be had at the moment; the message is for the log. */
export class KeysUnavailable extends Error {}

/** Keys are asked for anew after this, so that one that was withdrawn is not accepted for long. */
const fresh_ms = 10 * 60_000;
/** Keys are relied on for this long while the issuer cannot be reached. */
const kept_ms = 60 * 60_000;
/** A token with an unknown key makes us ask again, but not more often than this. */
const cooldown_ms = 30_000;
const keys_max = 100;

const schema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(keys_max) });

/** What a remote key set is made of. */
export interface KeySetOptions {
	readonly clock: Clock;
	readonly fetch: GuardedFetch;
	/** Where the set is; may have to be found out first, and rejects where it cannot be. */
	readonly address: () => Promise<string>;
}

/**
 * The public keys of an issuer elsewhere (RFC 7517). They are fetched when the first token comes,
 * every ten minutes, and when a token names a key that is not among them; one fetch at a time,
 * however many tokens wait for it.
 */
export class RemoteKeySet {
	readonly #options: KeySetOptions;
	#set: LocalJWKSet | undefined;
	#loaded_at_ms = 0;
	#tried_at_ms = Number.NEGATIVE_INFINITY;
	#problem = "";
	#loading: Promise<void> | undefined;

	constructor(options: KeySetOptions) {
		this.#options = options;
	}

	/** The key that a token's header names. */
	readonly find: FindKey = async (header, token) => {
		if (this.#age_ms > fresh_ms) await this.#load();
		const set = this.#usable();
		try {
			return await set(header, token);
		} catch (error) {
			if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
			await this.#load();
			return await this.#usable()(header, token);
		}
	};

	get #age_ms(): number {
		if (this.#set === undefined) return Number.POSITIVE_INFINITY;
		return this.#options.clock.monotonic() - this.#loaded_at_ms;
	}

	#usable(): LocalJWKSet {
		if (this.#set === undefined || this.#age_ms > kept_ms) throw new KeysUnavailable(this.#problem);
		return this.#set;
	}

	/** Never rejects: what went wrong is kept for those who then find no key. */
	#load(): Promise<void> {
		if (this.#loading !== undefined) return this.#loading;
		const now = this.#options.clock.monotonic();
		if (now - this.#tried_at_ms < cooldown_ms) return Promise.resolve();
		this.#tried_at_ms = now;
		this.#loading = this.#fetchSet()
			.then(
				(set) => {
					this.#set = createLocalJWKSet(set);
					this.#loaded_at_ms = this.#options.clock.monotonic();
				},
				(error: unknown) => {
					this.#problem = messageOf(error);
				},
			)
			.finally(() => {
				this.#loading = undefined;
			});
		return this.#loading;
	}

	async #fetchSet(): Promise<JSONWebKeySet> {
		const address = await this.#options.address();
		const answer = await this.#options.fetch(address);
		if (answer.status !== 200) throw new Error(`${address} answered with HTTP ${answer.status}`);
		const body: unknown = await answer.json();
		if (!schema.safeParse(body).success) throw new Error(`${address} is no key set`);
		return body as JSONWebKeySet;
	}
}
