import type { Clock, Timer } from "../lib/clock.ts";

/** What went wrong with items nobody waits for. */
export interface BatchTrouble {
	/**
	 * `delayed`: could not be committed yet and is tried again.
	 * `failed`: can never be committed and was given up.
	 * `full`: was refused, because too much waits already.
	 */
	readonly kind: "delayed" | "failed" | "full";
	/** How many items since the last report of this kind. */
	readonly items: number;
	/** The first of their errors. */
	readonly error: unknown;
}

/** What a batcher is made of. */
export interface BatcherOptions<Item> {
	readonly clock: Clock;
	/** Commits all of the items, in order, or none of them. */
	commit(items: readonly Item[]): Promise<void>;
	/** True when the same items may be committed later. */
	isPassing(error: unknown): boolean;
	/** Called when items are late or lost. Must not throw. */
	readonly onTrouble: (trouble: BatchTrouble) => void;
	/** How long the first item waits for company; 5 unless given. */
	readonly delay_ms?: number;
	/** Most items in one commit, so that none holds the thread for long; 200 unless given. */
	readonly batch_items_max?: number;
	/** Most items waiting; 20,000 unless given. */
	readonly queue_items_max?: number;
	/** Most bytes waiting; 64 MiB unless given. */
	readonly queue_bytes_max?: number;
	/** First pause after a failure that passes; it doubles up to `retry_ms_max`. */
	readonly retry_ms?: number;
	readonly retry_ms_max?: number;
}

interface Entry<Item> {
	readonly item: Item;
	readonly bytes: number;
	/** Tells the one who waits whether the item was committed; undefined once told. */
	settle: ((committed: boolean) => void) | undefined;
}

/** Someone who waits until `upto` items, counted from the start of time, have left the queue. */
interface Waiter {
	readonly upto: number;
	resolve(): void;
}

/**
 * Commits items in groups, in the order they were added, a few milliseconds after the first.
 * Adding never waits and never throws: what cannot be taken or committed is reported. An item
 * that fails does not take its neighbours along: they are then committed one by one.
 */
export class Batcher<Item> {
	readonly #options: Required<BatcherOptions<Item>>;
	readonly #troubles = new Map<BatchTrouble["kind"], BatchTrouble>();
	#queue: Entry<Item>[] = [];
	#queue_bytes = 0;
	#added = 0;
	#left = 0;
	#waiters: Waiter[] = [];
	#timer: Timer | undefined;
	#running = false;
	/** How long to wait before the next commit; above 0 after a failure that passes. */
	#pause_ms = 0;

	constructor(options: BatcherOptions<Item>) {
		this.#options = { ...default_options, ...options };
	}

	/** Items added and not yet committed or given up. */
	get waiting(): number {
		return this.#queue.length;
	}

	/**
	 * Takes an item to be committed soon. `bytes` is what it holds in memory until then.
	 * Returns false, and reports, when too much waits already.
	 */
	add(item: Item, bytes = 0): boolean {
		return this.#take({ item, bytes, settle: undefined });
	}

	/**
	 * Like `add`; resolves with true once the item is committed, and with false when it was
	 * refused, was given up, or could not be committed at the first try (it is tried again).
	 */
	addDurably(item: Item, bytes = 0): Promise<boolean> {
		return new Promise((resolve) => {
			if (!this.#take({ item, bytes, settle: resolve })) resolve(false);
		});
	}

	/**
	 * Commits what waits without further delay. Resolves when everything added before has been
	 * committed, or given up and reported, or could not be committed now and is tried again later
	 * (then `waiting` is above 0).
	 */
	flush(): Promise<void> {
		if (this.#queue.length === 0) return Promise.resolve();
		return new Promise((resolve) => {
			this.#waiters.push({ upto: this.#added, resolve });
			this.#timer?.cancel();
			this.#timer = undefined;
			void this.#run();
		});
	}

	#take(entry: Entry<Item>): boolean {
		const { queue_items_max, queue_bytes_max, delay_ms } = this.#options;
		const over_bytes = this.#queue_bytes + entry.bytes > queue_bytes_max;
		if (this.#queue.length >= queue_items_max || (over_bytes && this.#queue.length > 0)) {
			this.#note("full", 1, new Error("too many writes wait for the database"));
			return false;
		}
		this.#queue.push(entry);
		this.#queue_bytes += entry.bytes;
		this.#added += 1;
		this.#schedule(delay_ms);
		return true;
	}

	#schedule(delay_ms: number): void {
		if (this.#running || this.#timer !== undefined) return;
		this.#timer = this.#options.clock.after(delay_ms, () => {
			this.#timer = undefined;
			void this.#run();
		});
	}

	/** Commits one group; more than one only while someone waits for the queue to empty. */
	async #run(): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		const { batch_items_max, retry_ms, retry_ms_max } = this.#options;
		do {
			const went = await this.#commit(this.#queue.slice(0, batch_items_max));
			this.#pause_ms = went ? 0 : Math.min(Math.max(this.#pause_ms * 2, retry_ms), retry_ms_max);
			if (!went) this.#giveUpWaiting();
		} while (this.#waiters.length > 0);
		this.#running = false;
		this.#report();
		if (this.#queue.length > 0) this.#schedule(this.#pause_ms);
	}

	/** Commits the first entries of the queue; false when the database cannot just now. */
	async #commit(entries: Entry<Item>[]): Promise<boolean> {
		try {
			await this.#options.commit(entries.map((entry) => entry.item));
			this.#leave(entries, true);
			return true;
		} catch (error) {
			if (this.#options.isPassing(error)) {
				this.#note("delayed", entries.length, error);
				return false;
			}
			if (entries.length === 1) {
				this.#note("failed", 1, error);
				this.#leave(entries, false);
				return true;
			}
		}
		for (const entry of entries) {
			if (!(await this.#commit([entry]))) return false;
		}
		return true;
	}

	#leave(entries: readonly Entry<Item>[], committed: boolean): void {
		this.#queue.splice(0, entries.length);
		this.#left += entries.length;
		for (const entry of entries) {
			this.#queue_bytes -= entry.bytes;
			entry.settle?.(committed);
		}
		const done = this.#waiters.filter((waiter) => waiter.upto <= this.#left);
		this.#waiters = this.#waiters.filter((waiter) => waiter.upto > this.#left);
		for (const waiter of done) waiter.resolve();
	}

	#giveUpWaiting(): void {
		for (const entry of this.#queue) {
			entry.settle?.(false);
			entry.settle = undefined;
		}
		for (const waiter of this.#waiters.splice(0)) waiter.resolve();
	}

	#note(kind: BatchTrouble["kind"], items: number, error: unknown): void {
		const before = this.#troubles.get(kind);
		this.#troubles.set(kind, {
			kind,
			items: items + (before?.items ?? 0),
			error: before?.error ?? error,
		});
	}

	/** One report of each kind for a whole run, so that a broken disk does not flood the log. */
	#report(): void {
		for (const trouble of this.#troubles.values()) this.#options.onTrouble(trouble);
		this.#troubles.clear();
	}
}

const default_options = {
	delay_ms: 5,
	batch_items_max: 200,
	queue_items_max: 20_000,
	queue_bytes_max: 64 * 1024 * 1024,
	retry_ms: 100,
	retry_ms_max: 5_000,
};
