import type { Hibernation, InstanceUsage } from "../../upstreams/driver.ts";
import type { Freezer } from "./group-freezer.ts";

/** What a child's hibernation is made of. */
export interface ChildHibernationOptions {
	readonly freezer: Freezer;
	/** Gives its memory back, where the machine can. */
	readonly reclaimer: Reclaimer | undefined;
	usage(): Promise<InstanceUsage | undefined>;
}

/** Gives memory of something frozen back. */
export interface Reclaimer {
	/** Goes on as long as it is wanted; resolves with the bytes. */
	reclaim(isWanted: () => boolean): Promise<number>;
	/** To be called at every wake after that. */
	awake(): void;
}

/** Puts one child to sleep; knows whether it is wanted asleep, and when it is over. */
export class ChildHibernation implements Hibernation {
	readonly #options: ChildHibernationOptions;
	#freezing: Promise<boolean> | undefined;
	#frozen = false;
	#over = false;
	#reclaiming: Promise<number> | undefined;

	constructor(options: ChildHibernationOptions) {
		this.#options = options;
	}

	/** True from the first moment of falling asleep until it is woken. */
	get asleep(): boolean {
		return this.#freezing !== undefined;
	}

	freeze(): Promise<boolean> {
		if (this.#over) {
			return Promise.resolve(false);
		}
		if (this.#freezing === undefined) {
			const freezing = this.#options.freezer.freeze().then((done) => {
				// Woken in between, or even woken and put to sleep again: no longer this one's say.
				if (this.#freezing !== freezing) {
					return false;
				}
				this.#frozen = done;
				this.#freezing = done ? freezing : undefined;
				return done;
			});
			this.#freezing = freezing;
		}
		return this.#freezing;
	}

	thaw(): Promise<void> {
		this.wake();
		return Promise.resolve();
	}

	/** Like `thaw`, done when it returns. */
	wake(): void {
		if (this.#freezing !== undefined) {
			this.#freezing = undefined;
			this.#frozen = false;
			this.#options.freezer.thaw();
			if (this.#reclaiming !== undefined) {
				this.#reclaiming = undefined;
				this.#options.reclaimer?.awake();
			}
		}
	}

	/** Wakes it for good: what is being stopped must be able to run, and to die. */
	end(): void {
		this.#over = true;
		this.wake();
	}

	/** Done once for each sleep: asked again, it gives the same answer. */
	reclaim(): Promise<number> {
		if (!this.#frozen) {
			return Promise.resolve(0);
		}
		const sleep = this.#freezing;
		this.#reclaiming ??=
			this.#options.reclaimer?.reclaim(() => this.#freezing === sleep) ?? Promise.resolve(0);
		return this.#reclaiming;
	}

	usage(): Promise<InstanceUsage | undefined> {
		return this.#options.usage();
	}
}
