import type { Hosting, ServerStatus } from "../../hosting/hosting.ts";
import type { Clock } from "../../lib/clock.ts";

/** Reading what hundreds of processes use takes its time; nobody needs it more often. */
const fresh_ms = 4_000;

/** What servers use, looked up no more often than it is of use. */
export class MemoryWatch {
	readonly #rooms: { readonly hosting: Hosting; readonly clock: Clock };
	#known: ReadonlyMap<string, number> = new Map();
	#read_at_ms = Number.NEGATIVE_INFINITY;
	#reading: Promise<void> | undefined;

	constructor(rooms: { readonly hosting: Hosting; readonly clock: Clock }) {
		this.#rooms = rooms;
	}

	/** Bytes of memory of each server that runs, as far as the machine tells. */
	async read(statuses: readonly ServerStatus[]): Promise<ReadonlyMap<string, number>> {
		if (this.#rooms.clock.monotonic() - this.#read_at_ms >= fresh_ms) {
			this.#reading ??= this.#look(statuses).finally(() => {
				this.#reading = undefined;
			});
			await this.#reading;
		}
		return this.#known;
	}

	async #look(statuses: readonly ServerStatus[]): Promise<void> {
		const known = new Map<string, number>();
		for (const { name, state } of statuses) {
			if (state !== "ready" && state !== "frozen") continue;
			const used = [...(await this.#rooms.hosting.usage(name)).values()];
			if (used.length === 0) continue;
			known.set(
				name,
				used.reduce((sum, { memory_bytes }) => sum + memory_bytes, 0),
			);
		}
		this.#known = known;
		this.#read_at_ms = this.#rooms.clock.monotonic();
	}
}
