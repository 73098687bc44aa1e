import type { Clock, Timer } from "../lib/clock.ts";

/** Something that is given up when it takes too long. Only `Deadlines` writes `due_ms`. */
export interface Awaited {
	/** How long it may take. Change it only through `Deadlines.restart`. */
	patience_ms: number;
	/** Monotonic time of the deadline. */
	due_ms: number;
	/** Its neighbours among things of equal patience. Only `Deadlines` reads and writes them. */
	sooner?: Awaited | undefined;
	later?: Awaited | undefined;
}

/**
 * Things of equal patience, linked in the order in which they are due. What leaves lets go of its
 * neighbours: see `Bag` for what a set would cost here.
 */
interface Line {
	first: Awaited | undefined;
	last: Awaited | undefined;
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
	readonly #lines = new Map<number, Line>();

	constructor(clock: Clock, expired: (item: Item) => void) {
		this.#clock = clock;
		this.#expired = expired;
	}

	/** Starts the time of an item that has none running. */
	add(item: Item): void {
		item.patience_ms = Math.min(item.patience_ms, patience_ms_max);
		let line = this.#lines.get(item.patience_ms);
		if (line === undefined) {
			line = { first: undefined, last: undefined, timer: undefined };
			this.#lines.set(item.patience_ms, line);
		}
		item.due_ms = this.#clock.monotonic() + item.patience_ms;
		append(line, item);
		if (line.timer === undefined) this.#watch(item.patience_ms, line, item.patience_ms);
	}

	/** Forgets an item; it never expires. */
	remove(item: Item): void {
		const line = this.#lines.get(item.patience_ms);
		if (line !== undefined) unlink(line, item);
	}

	/** Gives a running item its whole time again, or another length of time. */
	restart(item: Item, patience_ms: number = item.patience_ms): void {
		this.remove(item);
		item.patience_ms = patience_ms;
		this.add(item);
	}

	/** Cancels every timer. */
	stop(): void {
		for (const line of this.#lines.values()) {
			line.timer?.cancel();
			while (line.first !== undefined) unlink(line, line.first);
		}
		this.#lines.clear();
	}

	#watch(patience_ms: number, line: Line, delay_ms: number): void {
		line.timer = this.#clock.afterIdle(delay_ms, () => this.#sweep(patience_ms, line));
	}

	#sweep(patience_ms: number, line: Line): void {
		line.timer = undefined;
		const now_ms = this.#clock.monotonic();
		while (line.first !== undefined) {
			// Only items of this type are ever linked.
			const item = line.first as Item;
			if (item.due_ms > now_ms) {
				// A timer may fire a fraction early; never ask for less than a millisecond.
				this.#watch(patience_ms, line, Math.max(1, Math.ceil(item.due_ms - now_ms)));
				return;
			}
			unlink(line, item);
			this.#expired(item);
		}
		// An expiry may have started something new in this line.
		if (line.timer === undefined) this.#lines.delete(patience_ms);
	}
}

function append(line: Line, item: Awaited): void {
	item.sooner = line.last;
	item.later = undefined;
	if (line.last === undefined) line.first = item;
	else line.last.later = item;
	line.last = item;
}

/** Does nothing to an item that is not in the line. */
function unlink(line: Line, item: Awaited): void {
	const { sooner, later } = item;
	if (sooner === undefined && line.first !== item) return;
	if (sooner === undefined) line.first = later;
	else sooner.later = later;
	if (later === undefined) line.last = sooner;
	else later.sooner = sooner;
	item.sooner = undefined;
	item.later = undefined;
}
