import { assert } from "../lib/assert.ts";
import type { Upstream } from "../upstreams/driver.ts";

/** The right to use an instance; it is not ended while there are leases, up to a deadline. */
export interface Lease {
	readonly upstream: Upstream;
	/** Gives the lease back. Doing so again does nothing. */
	release(): void;
	/** Says how the call ended, where that decides about a new version of the server. */
	readonly report?: ((ok: boolean) => void) | undefined;
}

/** Counts the leases on one upstream. */
export class LeaseCount {
	readonly upstream: Upstream;
	readonly #onLast: () => void;
	#count = 0;

	/** `onLast` is called each time the last lease comes back. */
	constructor(upstream: Upstream, onLast: () => void) {
		this.upstream = upstream;
		this.#onLast = onLast;
	}

	get count(): number {
		return this.#count;
	}

	take(): Lease {
		this.#count += 1;
		return new CountedLease(this);
	}

	giveBack(): void {
		assert(this.#count > 0, "a lease came back that was never given");
		this.#count -= 1;
		if (this.#count === 0) this.#onLast();
	}
}

class CountedLease implements Lease {
	readonly upstream: Upstream;
	#count: LeaseCount | undefined;

	constructor(count: LeaseCount) {
		this.upstream = count.upstream;
		this.#count = count;
	}

	release(): void {
		const count = this.#count;
		this.#count = undefined;
		count?.giveBack();
	}
}
