import type { LiveEvents } from "../../admin/live.ts";
import type { Hosting, ServerStatus } from "../../hosting/hosting.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { TrafficCounter } from "./traffic.ts";

/** Rates are told this often, to those who look. */
const beat_ms = 2_000;

/** Publishes what changes by itself: states as they change, rates every two seconds. */
export class LiveFeed {
	readonly #clock: Clock;
	readonly #live: LiveEvents;
	readonly #traffic: TrafficCounter;
	readonly #hosting: () => Hosting;
	/** Servers whose last told rates were not all zero. */
	readonly #busy = new Set<string>();
	#timer: Timer | undefined;

	constructor(clock: Clock, live: LiveEvents, traffic: TrafficCounter, hosting: () => Hosting) {
		this.#clock = clock;
		this.#live = live;
		this.#traffic = traffic;
		this.#hosting = hosting;
	}

	start(): void {
		this.#timer = this.#clock.afterIdle(beat_ms, () => {
			if (this.#live.watched) this.#beat();
			this.start();
		});
	}

	stop(): void {
		this.#timer?.cancel();
	}

	onState({ name, state, reason, instances }: ServerStatus): void {
		if (!this.#live.watched) return;
		const told = { name, state, ...(reason === undefined ? {} : { reason }) };
		this.#live.publish("state", { ...told, instances: instances.length });
	}

	/** What a server offers has changed, or has become known. */
	onCatalog(name: string): void {
		this.#live.publish("catalog", { name });
	}

	#beat(): void {
		const servers: unknown[] = [];
		for (const { name } of this.#hosting().statuses()) {
			const traffic = this.#traffic.read(name);
			if (traffic.calls === 0 && !this.#busy.delete(name)) continue;
			if (traffic.calls > 0) this.#busy.add(name);
			servers.push({ name, traffic });
		}
		const at_ms = this.#clock.now();
		this.#live.publish("stats", { at_ms, traffic: this.#traffic.read(), servers });
	}
}
