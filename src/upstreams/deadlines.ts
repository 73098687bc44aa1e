import type { Clock, Timer } from "../lib/clock.ts";

/** Something that is given up when it takes too long. Only `Deadlines` writes `due_ms`. */
export interface Awaited {
	/** How long it may take. Change it only through `Deadlines.restart`. */
	patience_ms: number;
	/** Monotonic time of the deadline. */
	due_ms: number;
}

/** Things of equal patience, in the order in which they are due. */
interface Line<Item> {
	readonly items: Set<Item>;
	timer: Timer | undefined;
}

/** Longest delay a timer can have; Node fires at once for a longer one. */
const patience_ms_max = 2 ** 31 - 1;

/**
 * Deadlines of many things for the price of one timer for each length of time in use: what
 * starts later is due later, so only the first of a line needs watching. A line's timer is not
 * moved when its first thing leaves; it finds the next one when it fires.
 */
export class Deadlines<Item extends Awaited> {
	readonly #clock: Clock;
	readonly #expired: (item: Item) => void;
	readonly #lines = new Map<number, Line<Item>>();

	constructor(clock: Clock, expired: (item: Item) => void) {
		this.#clock = clock;
		this.#expired = expired;
	}

	/** Starts the time of an item that has none running. */
	add(item: Item): void {
		item.patience_ms = Math.min(item.patience_ms, patience_ms_max);
		let line = this.#lines.get(item.patience_ms);
		if (line === undefined) {
			line = { items: new Set(), timer: undefined };
			this.#lines.set(item.patience_ms, line);
		}
		item.due_ms = this.#clock.monotonic() + item.patience_ms;
		line.items.add(item);
		if (line.timer === undefined) this.#watch(item.patience_ms, line, item.patience_ms);
	}

	/** Forgets an item; it never expires. */
	remove(item: Item): void {
		this.#lines.get(item.patience_ms)?.items.delete(item);
	}

	/** Gives a running item its whole time again, or another length of time. */
	restart(item: Item, patience_ms: number = item.patience_ms): void {
		this.remove(item);
		item.patience_ms = patience_ms;
		this.add(item);
	}

	/** Cancels every timer. */
	stop(): void {
		for (const line of this.#lines.values()) line.timer?.cancel();
		this.#lines.clear();
	}

	#watch(patience_ms: number, line: Line<Item>, delay_ms: number): void {
		line.timer = this.#clock.afterIdle(delay_ms, () => this.#sweep(patience_ms, line));
	}

	#sweep(patience_ms: number, line: Line<Item>): void {
		line.timer = undefined;
		const now_ms = this.#clock.monotonic();
		for (const item of line.items) {
			if (item.due_ms > now_ms) {
				// A timer may fire a fraction early; never ask for less than a millisecond.
				this.#watch(patience_ms, line, Math.max(1, Math.ceil(item.due_ms - now_ms)));
				return;
			}
			line.items.delete(item);
			this.#expired(item);
		}
		// An expiry may have started something new in this line.
		if (line.timer === undefined) this.#lines.delete(patience_ms);
	}
}
