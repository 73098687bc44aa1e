import type { Clock } from "../../lib/clock.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";

/** What went through in the last minute. */
export interface Traffic {
	readonly calls_per_s: number;
	readonly error_rate: number;
	readonly calls: number;
	readonly p50_ms?: number;
	readonly p99_ms?: number;
	/** Calls of each of the last 60 seconds, oldest first; empty without calls. */
	readonly spark: number[];
}

const window_s = 60;
const rate_s = 10;
/** Bounds of latency grow by a quarter each: 72 of them reach from 0.1 ms to over ten minutes. */
const bounds = 72;
const growth = 1.25;
const least_ms = 0.1;

/** One server's calls, second by second. */
class Window {
	readonly #calls = new Uint32Array(window_s);
	readonly #errors = new Uint32Array(window_s);
	readonly #latency = new Uint16Array(window_s * bounds);
	/** The latest second that is counted. */
	#last_s = 0;

	count(now_s: number, failed: boolean, duration_ms: number): void {
		this.#advance(now_s);
		const at = now_s % window_s;
		this.#calls[at] = (this.#calls[at] ?? 0) + 1;
		if (failed) this.#errors[at] = (this.#errors[at] ?? 0) + 1;
		const cell = at * bounds + boundOf(duration_ms);
		const seen = this.#latency[cell] ?? 0;
		if (seen < 65_535) this.#latency[cell] = seen + 1;
	}

	read(now_s: number): Traffic {
		this.#advance(now_s);
		const order = Array.from({ length: window_s }, (_, age) => (now_s + 1 + age) % window_s);
		const spark = order.map((at) => this.#calls[at] ?? 0);
		const calls = spark.reduce((sum, count) => sum + count, 0);
		if (calls === 0) return { calls_per_s: 0, error_rate: 0, calls, spark: [] };
		const errors = this.#errors.reduce((sum, count) => sum + count, 0);
		// The second that is not over would make every rate look too low.
		const recent = spark.slice(-rate_s - 1, -1).reduce((sum, count) => sum + count, 0);
		return {
			calls_per_s: recent / rate_s,
			error_rate: errors / calls,
			calls,
			p50_ms: this.#quantile(0.5),
			p99_ms: this.#quantile(0.99),
			spark,
		};
	}

	#quantile(share: number): number {
		const sums = new Float64Array(bounds);
		let total = 0;
		for (const [cell, count] of this.#latency.entries()) {
			if (count === 0) continue;
			sums[cell % bounds] = (sums[cell % bounds] ?? 0) + count;
			total += count;
		}
		let seen = 0;
		for (const [bound, count] of sums.entries()) {
			seen += count;
			if (seen >= share * total) return least_ms * growth ** (bound - 0.5);
		}
		return 0;
	}

	/** Forgets the seconds that have passed since the last look. */
	#advance(now_s: number): void {
		const gone = Math.min(window_s, now_s - this.#last_s);
		for (let step = 1; step <= gone; step += 1) {
			const at = (now_s - gone + step) % window_s;
			this.#calls[at] = 0;
			this.#errors[at] = 0;
			this.#latency.fill(0, at * bounds, (at + 1) * bounds);
		}
		if (now_s > this.#last_s) this.#last_s = now_s;
	}
}

function boundOf(duration_ms: number): number {
	if (duration_ms <= least_ms) return 0;
	const bound = Math.ceil(Math.log(duration_ms / least_ms) / Math.log(growth));
	return Math.min(bounds - 1, bound);
}

/** Counts what goes through each server, in bounded memory: 9 KB for each that is called. */
export class TrafficCounter {
	readonly #clock: Clock;
	readonly #windows = new Map<string, Window>();
	readonly #all = new Window();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Counts one call that is over; handed over as it is, without its object. */
	readonly after = (record: CallRecord): undefined => {
		const now_s = this.#now();
		const failed = record.status !== "ok";
		this.#all.count(now_s, failed, record.duration_ms);
		const { server } = record;
		if (server === undefined) return;
		let window = this.#windows.get(server);
		if (window === undefined) this.#windows.set(server, (window = new Window()));
		window.count(now_s, failed, record.duration_ms);
	};

	/** What went through a server; without a name, through all together. */
	read(server?: string): Traffic {
		const window = server === undefined ? this.#all : this.#windows.get(server);
		return window?.read(this.#now()) ?? { calls_per_s: 0, error_rate: 0, calls: 0, spark: [] };
	}

	/** Forgets servers that are not there any more. */
	keep(servers: ReadonlySet<string>): void {
		for (const name of this.#windows.keys()) if (!servers.has(name)) this.#windows.delete(name);
	}

	#now(): number {
		return Math.floor(this.#clock.monotonic() / 1000);
	}
}
