import type { Clock } from "../lib/clock.ts";

/** How often in a row one instance's lists are read as soon as it says that they changed. */
export const at_once_max = 10;
/** An instance that said nothing for this long begins anew. */
export const calm_ms = 60_000;
/** So long without a word makes up for one reading: lists that people change are no fault. */
export const forgiven_ms = 1_000;
/** The first pause after too many, which doubles each time. */
export const pause_ms_min = 1_000;
export const pause_ms_max = 300_000;
/** How often is looked whether one that is asleep has woken. */
export const asleep_ms = 10_000;

/** How lists are read again, and who hears that it is done too often. */
export interface RereadingOptions<Key> {
	readonly clock: Clock;
	/** Says which instance a key names. */
	nameOf(key: Key): string;
	/**
	 * Begins a reading; undefined where there is nothing to read from. `asleep` where there is later:
	 * nothing is woken for a reading that had to wait.
	 */
	read(key: Key, waited: boolean): Promise<unknown> | "asleep" | undefined;
	/** An instance has to wait from now on before it is read again. */
	onOften(key: Key, pause_ms: number): void;
}

interface Reader<Key> {
	key: Key;
	/** Readings since it was calm, less those that are made up for. */
	count: number;
	asked_at_ms: number;
	/** When its last reading ended. */
	read_at_ms: number;
	/** It reads, or waits for its next turn. */
	is_busy: boolean;
	/** It has said so once more meanwhile. */
	again: boolean;
}

/**
 * Reads lists again when a server says that they have changed. However often one says so, there is
 * one reading at a time, and one after it. A server whose lists change with every reading would be
 * read for ever, and never sleep: after a few in a row it has to wait.
 */
export class Rereading<Key> {
	readonly #options: RereadingOptions<Key>;
	readonly #readers = new Map<string, Reader<Key>>();

	constructor(options: RereadingOptions<Key>) {
		this.#options = options;
	}

	/** Instances that something is remembered of. */
	get size(): number {
		return this.#readers.size;
	}

	/** An instance says that its lists have changed. */
	ask(key: Key): void {
		const name = this.#options.nameOf(key);
		const now_ms = this.#options.clock.monotonic();
		const reader = this.#readers.get(name) ?? this.#add(name, key, now_ms);
		if (!reader.is_busy) {
			// A pause that it had to make is no calm: what it says while it is read makes up for nothing.
			const forgiven = Math.floor((now_ms - reader.read_at_ms) / forgiven_ms);
			const is_calm = now_ms - reader.asked_at_ms >= calm_ms;
			reader.count = is_calm ? 0 : Math.max(0, reader.count - forgiven);
		}
		reader.key = key;
		reader.asked_at_ms = now_ms;
		if (reader.is_busy) reader.again = true;
		else this.#schedule(reader);
	}

	#add(name: string, key: Key, now_ms: number): Reader<Key> {
		for (const [old, { is_busy, asked_at_ms }] of this.#readers) {
			if (!is_busy && now_ms - asked_at_ms >= calm_ms) this.#readers.delete(old);
		}
		const times = { asked_at_ms: now_ms, read_at_ms: now_ms };
		const reader = { key, count: 0, ...times, is_busy: false, again: false };
		this.#readers.set(name, reader);
		return reader;
	}

	#schedule(reader: Reader<Key>): void {
		reader.is_busy = true;
		reader.again = false;
		reader.count += 1;
		const over = reader.count - at_once_max;
		if (over <= 0) return this.#read(reader, false);
		const pause_ms = Math.min(pause_ms_max, pause_ms_min * 2 ** Math.min(over - 1, 10));
		this.#options.onOften(reader.key, pause_ms);
		this.#wait(reader, pause_ms);
	}

	#wait(reader: Reader<Key>, pause_ms: number): void {
		this.#options.clock.afterIdle(pause_ms, () => this.#read(reader, true));
	}

	#read(reader: Reader<Key>, waited: boolean): void {
		// What it says from here on may come too late for this reading.
		reader.again = false;
		const reading = this.#options.read(reader.key, waited);
		if (reading === "asleep") return this.#wait(reader, asleep_ms);
		void Promise.resolve(reading).finally(() => {
			reader.is_busy = false;
			reader.read_at_ms = this.#options.clock.monotonic();
			if (reader.again) this.#schedule(reader);
		});
	}
}
