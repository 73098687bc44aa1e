import { createHmac } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { isSameText } from "../../lib/same-text.ts";

/** A nonce is given out for this long, and is good for twice to three times that. */
const step_ms = 60_000;
const steps_good = 3;
const key_bytes = 32;

/**
 * Nonces that proofs of possession have to carry (RFC 9449 sections 8 and 9), so that none can be
 * made ahead of time, not even by whoever could use the key for a while. Nothing is kept of them:
 * each is a MAC of the minute it was given out in. The key is this process's own, and time is what
 * no clock that is set can turn back, so a nonce of before a restart is an old one.
 */
export class ProofNonces {
	readonly #clock: Clock;
	readonly #key: Buffer;
	#step = Number.NaN;
	/** The newest first. */
	#good: readonly string[] = [];

	constructor(clock: Clock, random: Random) {
		this.#clock = clock;
		this.#key = random.bytes(key_bytes);
	}

	/** The one to tell clients. */
	get current(): string {
		return this.#refreshed()[0] ?? "";
	}

	/** Whether what a proof carries was given out here in the last minutes. */
	isGood(nonce: unknown): boolean {
		if (typeof nonce !== "string") return false;
		return this.#refreshed().some((one) => isSameText(nonce, one));
	}

	#refreshed(): readonly string[] {
		const step = Math.floor(this.#clock.monotonic() / step_ms);
		if (step !== this.#step) {
			this.#step = step;
			this.#good = Array.from({ length: steps_good }, (_, back) => this.#make(step - back));
		}
		return this.#good;
	}

	#make(step: number): string {
		return createHmac("sha256", this.#key).update(`dpop-nonce:${step}`).digest("base64url");
	}
}
