import type { Hibernation, InstanceUsage } from "../../upstreams/driver.ts";
import type { Freezer } from "./group-freezer.ts";

/** What a child's hibernation is made of. */
export interface ChildHibernationOptions {
	readonly freezer: Freezer;
	/** Gives memory back; resolves with the bytes. Called only while frozen. */
	reclaim(): Promise<number>;
	usage(): Promise<InstanceUsage | undefined>;
}

/** Puts one child to sleep; knows whether it is wanted asleep, and when it is over. */
export class ChildHibernation implements Hibernation {
	readonly #options: ChildHibernationOptions;
	#freezing: Promise<boolean> | undefined;
	#frozen = false;
	#over = false;

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
		}
	}

	/** Wakes it for good: what is being stopped must be able to run, and to die. */
	end(): void {
		this.#over = true;
		this.wake();
	}

	async reclaim(): Promise<number> {
		return this.#frozen ? await this.#options.reclaim() : 0;
	}

	usage(): Promise<InstanceUsage | undefined> {
		return this.#options.usage();
	}
}
