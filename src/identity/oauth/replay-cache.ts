/** Proofs remembered of one key, and keys remembered at all. */
const proofs_of_key_max = 10_000;
const keys_max = 10_000;

/**
 * Remembers what was used, until it could not be used again anyway. The memory is bounded by
 * refusing, never by forgetting; and who uses up their share stands in nobody else's way.
 */
export class ReplayCache {
	/** By key: when each proof's time is over. Both in the order of their coming. */
	readonly #keys = new Map<string, Map<string, number>>();

	/**
	 * True the first time a proof of a key is seen; false when it was seen before, or cannot be
	 * remembered. `until_ms` is when its time is over.
	 */
	isNew(key: string, proof: string, until_ms: number, now_ms: number): boolean {
		this.#sweep(now_ms);
		const proofs = this.#keys.get(key) ?? new Map<string, number>();
		sweepProofs(proofs, now_ms);
		if (proofs.has(proof) || proofs.size >= proofs_of_key_max) return false;
		if (proofs.size === 0 && !this.#keys.has(key) && this.#keys.size >= keys_max) return false;
		proofs.set(proof, until_ms);
		this.#keys.delete(key);
		this.#keys.set(key, proofs);
		return true;
	}

	/** Keys whose last proof's time is over, from the one unused for longest on. */
	#sweep(now_ms: number): void {
		for (const [key, proofs] of this.#keys) {
			sweepProofs(proofs, now_ms);
			if (proofs.size > 0) return;
			this.#keys.delete(key);
		}
	}
}

function sweepProofs(proofs: Map<string, number>, now_ms: number): void {
	for (const [proof, until_ms] of proofs) {
		if (until_ms > now_ms) return;
		proofs.delete(proof);
	}
}
