import type { Principal } from "../principal.ts";

/** A token that was found good. */
export interface VerifiedToken {
	readonly principal: Principal;
	/** Whom it was issued for, without a slash at the end. */
	readonly audiences: ReadonlySet<string>;
	/** True where it was issued for the whole gateway, as the issuer's configuration has it. */
	readonly is_everywhere: boolean;
	/** Thumbprint of the key it is bound to (RFC 9449 section 6.1). */
	readonly key_thumbprint: string | undefined;
	/** Thumbprint of the certificate it is bound to (RFC 8705 section 3.1). */
	readonly certificate_thumbprint: string | undefined;
	/** Wall-clock milliseconds. */
	readonly expires_at_ms: number;
}

/** A token is looked at anew after this, so that what its issuer takes back ends. */
const kept_ms = 60_000;

interface Entry {
	readonly token: VerifiedToken;
	readonly since_ms: number;
	readonly until_ms: number;
}

/** Tokens by their hash; when there are too many, the one checked longest ago is given up. */
export class TokenCache {
	readonly #entries = new Map<string, Entry>();
	readonly #entries_max: number;

	constructor(entries_max = 20_000) {
		this.#entries_max = entries_max;
	}

	/** A token that was found good at most a minute ago and has not expired. */
	get(hash: string, now_ms: number): VerifiedToken | undefined {
		const entry = this.#entries.get(hash);
		if (entry === undefined) return undefined;
		// A clock that was set back must not make it last longer.
		if (now_ms < entry.until_ms && now_ms >= entry.since_ms) return entry.token;
		this.#entries.delete(hash);
		return undefined;
	}

	put(hash: string, token: VerifiedToken, now_ms: number): void {
		const until_ms = Math.min(now_ms + kept_ms, token.expires_at_ms);
		if (until_ms <= now_ms) return;
		this.#entries.delete(hash);
		this.#entries.set(hash, { token, since_ms: now_ms, until_ms });
		if (this.#entries.size <= this.#entries_max) return;
		const [oldest] = this.#entries.keys();
		if (oldest !== undefined) this.#entries.delete(oldest);
	}

	get size(): number {
		return this.#entries.size;
	}
}
