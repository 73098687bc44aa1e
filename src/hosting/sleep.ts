import type { Hibernation } from "../upstreams/driver.ts";

/** Who is told when going to sleep or waking up did not work. */
export interface SleepOwner {
	/** It could not be put to sleep and runs on. */
	onFreezeFailed(): void;
	/** It could not be woken: it is of no use any more. */
	onThawFailed(detail: string): void;
}

/**
 * Puts one running instance to sleep and wakes it, in the order in which that was asked for.
 * Waking is asked for and not waited for: what is written to the instance meanwhile is read as
 * soon as it runs again.
 */
export class Sleep {
	readonly #hibernation: Hibernation | undefined;
	readonly #owner: SleepOwner;
	#asleep = false;
	#works = true;
	#reclaimed_bytes: number | undefined;
	/** A freeze or thaw under way: none overtakes the one before it. */
	#last: Promise<void> | undefined;

	constructor(hibernation: Hibernation | undefined, owner: SleepOwner) {
		this.#hibernation = hibernation;
		this.#owner = owner;
	}

	/** False where there is nothing to freeze, or freezing it has failed before. */
	get can_freeze(): boolean {
		return this.#hibernation !== undefined && this.#works;
	}

	/** True from the time a freeze is asked for until a thaw is. */
	get asleep(): boolean {
		return this.#asleep;
	}

	/** Bytes that were given back in this sleep; undefined as long as that was not asked for. */
	get reclaimed_bytes(): number | undefined {
		return this.#reclaimed_bytes;
	}

	/** Puts it to sleep. */
	freeze(): void {
		const hibernation = this.#hibernation;
		if (hibernation === undefined || this.#asleep) return;
		this.#asleep = true;
		this.#enqueue(() => this.#freeze(hibernation));
	}

	/** Wakes it; does nothing while it is awake. */
	thaw(): void {
		const hibernation = this.#hibernation;
		if (hibernation === undefined || !this.#asleep) return;
		this.#asleep = false;
		this.#reclaimed_bytes = undefined;
		this.#enqueue(() => this.#thaw(hibernation));
	}

	/** Gives its memory back, if it still sleeps. */
	reclaim(): void {
		const hibernation = this.#hibernation;
		if (hibernation === undefined || !this.#asleep) return;
		this.#reclaimed_bytes = 0;
		void attempt(() => hibernation.reclaim()).then((bytes) => {
			if (this.#reclaimed_bytes === 0 && typeof bytes === "number") this.#reclaimed_bytes = bytes;
		});
	}

	/** Begins at once where nothing is under way. */
	#enqueue(work: () => Promise<void>): void {
		const next = this.#last === undefined ? work() : this.#last.then(work);
		this.#last = next;
		void next.then(() => {
			if (this.#last === next) this.#last = undefined;
		});
	}

	async #freeze(hibernation: Hibernation): Promise<void> {
		// It may have been taken back before its turn came.
		if (!this.#asleep) return;
		const frozen = await attempt(() => hibernation.freeze());
		if (frozen === true) return;
		this.#works = false;
		if (!this.#asleep) return;
		this.#asleep = false;
		this.#owner.onFreezeFailed();
	}

	async #thaw(hibernation: Hibernation): Promise<void> {
		const outcome = await attempt(() => hibernation.thaw());
		if (outcome instanceof Error) this.#owner.onThawFailed(outcome.message);
	}
}

/** The outcome of some work of a driver; what it throws is an outcome too. */
async function attempt<Value>(work: () => Promise<Value>): Promise<Value | Error> {
	try {
		return await work();
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
}
