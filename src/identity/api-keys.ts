import { hash } from "node:crypto";
import type { ApiKeyPlan } from "../config/plan-identity.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type CredentialProblem, credentialProblem } from "./credential-problem.ts";
import { type Principal, principalOf } from "./principal.ts";

/** What every key begins with, so that a leaked one is recognised by those who search. */
export const key_prefix = "moorage_";
/** Random bytes of a key: far more than can be guessed, so one plain hash is enough. */
const key_bytes = 32;

/** A new key, to be shown once. */
export function newApiKey(random: Random): string {
	return key_prefix + random.bytes(key_bytes).toString("base64url");
}

/** SHA-256 of a key, in hex: all that is kept of it. */
export function hashApiKey(key: string): string {
	return hash("sha256", key, "hex");
}

/** Keys that stand in no configuration. */
export interface StoredKeys {
	/** The key of a hash, expired or not. */
	findKey(hash: string): KnownKey | undefined;
	/** The key of a name, expired or not. */
	keyNamed(name: string): KnownKey | undefined;
	onKeyUsed(name: string): void;
}

/** A key of the store, with what it gives. */
export interface KnownKey {
	readonly name: string;
	/** `hashApiKey` of it. */
	readonly hash: string;
	readonly tenant: string;
	readonly user: string;
	readonly roles: readonly string[] | undefined;
	readonly scopes: readonly string[] | undefined;
	readonly expires_at_ms: number | undefined;
}

/** With which key each came, by its hash: another key may have the name of that one by now. */
const came_with = new WeakMap<Principal, string>();

/** API keys. They are found by their hash, so no comparison leaks a part of one. */
export class ApiKeys {
	readonly #by_hash: ReadonlyMap<string, ApiKeyPlan>;
	readonly #by_client: ReadonlyMap<string, ApiKeyPlan>;
	readonly #stored: StoredKeys | undefined;
	readonly #principals = new WeakMap<KnownKey, Principal>();

	constructor(keys: readonly ApiKeyPlan[], stored?: StoredKeys) {
		this.#by_hash = new Map(keys.map((key) => [key.hash, key]));
		this.#by_client = new Map(keys.map((key) => [clientOf(key), key]));
		this.#stored = stored;
	}

	/**
	 * Who holds the key with a hash (`hashApiKey`); undefined for what is the hash of no key.
	 * `now_ms` is wall-clock time.
	 */
	identify(digest: string, now_ms: number): Result<Principal, CredentialProblem> | undefined {
		const configured = this.#by_hash.get(digest);
		const key = configured ?? this.#stored?.findKey(digest);
		if (key === undefined) return undefined;
		if (key.expires_at_ms !== undefined && now_ms >= key.expires_at_ms) {
			return fail(credentialProblem("credential_expired"));
		}
		if (configured === undefined) this.#stored?.onKeyUsed(key.name);
		return succeed(this.#principalOf(key));
	}

	/** Whether the key that somebody came with is there and good. `now_ms` is wall-clock time. */
	isStill(who: Principal, now_ms: number): boolean {
		const { client = "", tenant, user } = who;
		const name = client.slice(client_prefix.length);
		const key = this.#by_client.get(client) ?? this.#stored?.keyNamed(name);
		if (key?.tenant !== tenant || key.user !== user) return false;
		if (key.hash !== came_with.get(who)) return false;
		return key.expires_at_ms === undefined || now_ms < key.expires_at_ms;
	}

	#principalOf(key: KnownKey): Principal {
		const known = this.#principals.get(key);
		if (known !== undefined) return known;
		const { tenant, user, roles = [], scopes } = key;
		const client = clientOf(key);
		const principal = principalOf(tenant, user, { client, roles, scopes, via: "key" });
		this.#principals.set(key, principal);
		came_with.set(principal, key.hash);
		return principal;
	}
}

const client_prefix = "key:";

/** As what a key is authenticated. */
function clientOf({ name }: Pick<KnownKey, "name">): string {
	return client_prefix + name;
}
