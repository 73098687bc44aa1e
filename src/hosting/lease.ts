import { assert } from "../lib/assert.ts";
import type { Upstream } from "../upstreams/driver.ts";
import type { InstanceKey } from "./instance-key.ts";

/** The right to use an instance; it is not ended while there are leases, up to a deadline. */
export interface Lease {
	readonly upstream: Upstream;
	/** Names the instance, its place included. */
	readonly key: InstanceKey;
	/** Resolves when the instance has no calls; undefined where it has none now. */
	callsOver(): Promise<void> | undefined;
	/** A further lease on the same instance, which keeps it awake for what outlives a call. */
	hold(): Lease;
	/** The server has asked whoever holds this lease something: see `Fleet.asks`. */
	noteQuestion(): void;
	/** Gives the lease back. Doing so again does nothing. */
	release(): void;
	/** Says how the call ended, where that decides about a new version of the server. */
	readonly report?: ((ok: boolean) => void) | undefined;
}

/** What a lease is for. */
export interface LeaseUse {
	/** A `call` takes one of the places of its instance; to `hold` it awake takes none. */
	readonly kind: "call" | "hold";
	/** Whom the server would ask on behalf of this lease; undefined when it would be nobody. */
	readonly asker?: string | undefined;
}

/** Who is told about the leases on one instance. */
export interface LeaseOwner {
	/** One came back; `last` says that none is left. */
	onBack(last: boolean): void;
	/** The server asked one of those who hold a lease. */
	onQuestion(): void;
}

/** Counts the leases on one upstream. */
export class LeaseCount {
	readonly upstream: Upstream;
	readonly key: InstanceKey;
	readonly #owner: LeaseOwner;
	readonly #askers = new Map<string, number>();
	#count = 0;
	#calls = 0;
	#calls_over: PromiseWithResolvers<void> | undefined;

	constructor(key: InstanceKey, upstream: Upstream, owner: LeaseOwner) {
		this.key = key;
		this.upstream = upstream;
		this.#owner = owner;
	}

	/** All leases. */
	get count(): number {
		return this.#count;
	}

	/** Leases that are calls. */
	get calls(): number {
		return this.#calls;
	}

	/** Whom the server could ask now. */
	get askers(): readonly string[] {
		return [...this.#askers.keys()];
	}

	/** Whether it could ask somebody else than this one. */
	hasOtherAsker(asker: string): boolean {
		return this.#askers.size > (this.#askers.has(asker) ? 1 : 0);
	}

	/** See `Lease.callsOver`. */
	callsOver(): Promise<void> | undefined {
		if (this.#calls === 0) return undefined;
		this.#calls_over ??= Promise.withResolvers();
		return this.#calls_over.promise;
	}

	take(use: LeaseUse): Lease {
		this.#count += 1;
		if (use.kind === "call") this.#calls += 1;
		const { asker } = use;
		if (asker !== undefined) this.#askers.set(asker, (this.#askers.get(asker) ?? 0) + 1);
		return new CountedLease(this, use);
	}

	giveBack({ kind, asker }: LeaseUse): void {
		assert(this.#count > 0, "a lease came back that was never given");
		this.#count -= 1;
		if (kind === "call") this.#calls -= 1;
		if (this.#calls === 0) this.#endCalls();
		if (asker !== undefined) this.#leave(asker);
		this.#owner.onBack(this.#count === 0);
	}

	noteQuestion(): void {
		this.#owner.onQuestion();
	}

	#endCalls(): void {
		this.#calls_over?.resolve();
		this.#calls_over = undefined;
	}

	#leave(asker: string): void {
		const count = this.#askers.get(asker) ?? 0;
		if (count > 1) this.#askers.set(asker, count - 1);
		else this.#askers.delete(asker);
	}
}

class CountedLease implements Lease {
	readonly upstream: Upstream;
	readonly key: InstanceKey;
	readonly #use: LeaseUse;
	#count: LeaseCount | undefined;

	constructor(count: LeaseCount, use: LeaseUse) {
		this.upstream = count.upstream;
		this.key = count.key;
		this.#count = count;
		this.#use = use;
	}

	callsOver(): Promise<void> | undefined {
		return this.#count?.callsOver();
	}

	hold(): Lease {
		assert(this.#count !== undefined, "a lease that went back holds nothing");
		return this.#count.take({ kind: "hold" });
	}

	noteQuestion(): void {
		this.#count?.noteQuestion();
	}

	release(): void {
		const count = this.#count;
		this.#count = undefined;
		count?.giveBack(this.#use);
	}
}
