import { createHash } from "node:crypto";
import type { ApiKeyPlan, IdentityPlan } from "../config/plan.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Principal, principalOf } from "./principal.ts";

/** Why a request is not let in. */
export type KeyProblem =
	/** There is no credential. */
	| "missing"
	/** The `Authorization` header is not of the form `Bearer TOKEN`. */
	| "malformed"
	/** No key is like this one. */
	| "unknown"
	| "expired";

/** What every key begins with, so that a leaked one is recognised by those who search. */
export const key_prefix = "moorage_";
/** Random bytes of a key: far more than can be guessed, so one plain hash is enough. */
const key_bytes = 32;
/** No key is as long as this; longer ones are not even hashed. */
const token_chars_max = 512;

/** RFC 6750 section 2.1. The scheme's name is not case-sensitive (RFC 9110 section 11.1). */
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** A new key, to be shown once. */
export function newApiKey(random: Random): string {
	return key_prefix + random.bytes(key_bytes).toString("base64url");
}

/** SHA-256 of a key, in hex: all that is kept of it. */
export function hashApiKey(key: string): string {
	return createHash("sha256").update(key).digest("hex");
}

/** Keys that stand in no configuration. */
export interface StoredKeys {
	/** The key of a hash, expired or not. */
	findKey(hash: string): KnownKey | undefined;
	onKeyUsed(name: string): void;
}

/** A key of the store, with what it gives. */
export interface KnownKey {
	readonly name: string;
	readonly tenant: string;
	readonly user: string;
	readonly roles: readonly string[] | undefined;
	readonly scopes: readonly string[] | undefined;
	readonly expires_at_ms: number | undefined;
}

/** The API keys of a plan. Keys are found by their hash, so no comparison leaks a part of one. */
export class ApiKeys {
	readonly #by_hash: ReadonlyMap<string, ApiKeyPlan>;

	readonly #stored: StoredKeys | undefined;

	constructor(plan: Pick<IdentityPlan, "keys">, stored?: StoredKeys) {
		this.#stored = stored;
		this.#by_hash = new Map(plan.keys.map((key) => [key.hash, key]));
	}

	/** Who a request is from, by its `Authorization` header; `now_ms` is wall-clock time. */
	identify(authorization: string | undefined, now_ms: number): Result<Principal, KeyProblem> {
		if (authorization === undefined) return fail("missing");
		if (authorization.length > token_chars_max) return fail("malformed");
		const token = bearer.exec(authorization)?.[1];
		if (token === undefined) return fail("malformed");
		const hash = hashApiKey(token);
		const key = this.#by_hash.get(hash);
		if (key === undefined) return this.#identifyStored(hash, now_ms);
		if (key.expires_at_ms !== undefined && now_ms >= key.expires_at_ms) return fail("expired");
		return succeed(principalOf(key.tenant, key.user, { client: `key:${key.name}`, via: "key" }));
	}

	#identifyStored(hash: string, now_ms: number): Result<Principal, KeyProblem> {
		const key = this.#stored?.findKey(hash);
		if (key === undefined) return fail("unknown");
		if (key.expires_at_ms !== undefined && now_ms >= key.expires_at_ms) return fail("expired");
		this.#stored?.onKeyUsed(key.name);
		const { tenant, user, roles = [], scopes } = key;
		return succeed(
			principalOf(tenant, user, { client: `key:${key.name}`, roles, scopes, via: "key" }),
		);
	}
}
