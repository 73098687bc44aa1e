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

/**
 * One server's calls, second by second. Sums are kept as seconds come and go, so that reading it is
 * cheap: hundreds of servers are read at once, every two seconds, while somebody looks.
 */
class Window {
	readonly #calls = new Uint32Array(window_s);
	readonly #errors = new Uint32Array(window_s);
	readonly #latency = new Uint16Array(window_s * bounds);
	/** Over all seconds: of each bound of latency, and of calls and errors. */
	readonly #sums = new Uint32Array(bounds);
	#all_calls = 0;
	#all_errors = 0;
	/** The latest second that is counted. */
	#last_s = 0;

	/** @param bound of the call's duration, from `boundOf` */
	count(now_s: number, failed: boolean, bound: number): void {
		this.#advance(now_s);
		const at = now_s % window_s;
		this.#calls[at] = (this.#calls[at] ?? 0) + 1;
		this.#all_calls += 1;
		if (failed) {
			this.#errors[at] = (this.#errors[at] ?? 0) + 1;
			this.#all_errors += 1;
		}
		const cell = at * bounds + bound;
		const seen = this.#latency[cell] ?? 0;
		if (seen === 65_535) return;
		this.#latency[cell] = seen + 1;
		this.#sums[bound] = (this.#sums[bound] ?? 0) + 1;
	}

	/** Whether nothing is counted any more. */
	isQuiet(now_s: number): boolean {
		this.#advance(now_s);
		return this.#all_calls === 0;
	}

	read(now_s: number): Traffic {
		this.#advance(now_s);
		const calls = this.#all_calls;
		if (calls === 0) return { calls_per_s: 0, error_rate: 0, calls, spark: [] };
		const spark: number[] = [];
		let recent = 0;
		for (let age = 1; age <= window_s; age += 1) {
			const count = this.#calls[(now_s + age) % window_s] ?? 0;
			spark.push(count);
			// The second that is not over would make every rate look too low.
			if (age >= window_s - rate_s && age < window_s) recent += count;
		}
		return {
			calls_per_s: recent / rate_s,
			error_rate: this.#all_errors / calls,
			calls,
			p50_ms: this.#quantile(0.5),
			p99_ms: this.#quantile(0.99),
			spark,
		};
	}

	#quantile(share: number): number {
		let total = 0;
		for (let bound = 0; bound < bounds; bound += 1) total += this.#sums[bound] ?? 0;
		let seen = 0;
		for (let bound = 0; bound < bounds; bound += 1) {
			seen += this.#sums[bound] ?? 0;
			if (seen >= share * total) return least_ms * growth ** (bound - 0.5);
		}
		return 0;
	}

	/** Forgets the seconds that have passed since the last look. */
	#advance(now_s: number): void {
		const gone = Math.min(window_s, now_s - this.#last_s);
		for (let step = 1; step <= gone; step += 1) {
			const at = (now_s - gone + step) % window_s;
			if (this.#calls[at] === 0) continue;
			this.#all_calls -= this.#calls[at] ?? 0;
			this.#all_errors -= this.#errors[at] ?? 0;
			this.#calls[at] = 0;
			this.#errors[at] = 0;
			for (let bound = 0; bound < bounds; bound += 1) {
				const cell = at * bounds + bound;
				this.#sums[bound] = (this.#sums[bound] ?? 0) - (this.#latency[cell] ?? 0);
				this.#latency[cell] = 0;
			}
		}
		if (now_s > this.#last_s) this.#last_s = now_s;
	}
}

function boundOf(duration_ms: number): number {
	if (duration_ms <= least_ms) return 0;
	const bound = Math.ceil(Math.log(duration_ms / least_ms) / Math.log(growth));
	return Math.min(bounds - 1, bound);
}

/** Tenants that are counted at one time; those that are quiet make room for others. */
const tenants_max = 500;

/** Counts what goes through each server and for each tenant, in bounded memory: 9 KB for each. */
export class TrafficCounter {
	readonly #clock: Clock;
	readonly #windows = new Map<string, Window>();
	readonly #tenants = new Map<string, Window>();
	readonly #all = new Window();
	/** When room for tenants was made the last time, or not found. */
	#swept_s = -1;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Counts one call that is over; handed over as it is, without its object. */
	readonly after = (record: CallRecord): undefined => {
		const now_s = this.#now();
		const failed = record.status !== "ok";
		const bound = boundOf(record.duration_ms);
		this.#all.count(now_s, failed, bound);
		this.#tenant(record.tenant, now_s)?.count(now_s, failed, bound);
		const { server } = record;
		if (server === undefined) return;
		let window = this.#windows.get(server);
		if (window === undefined) this.#windows.set(server, (window = new Window()));
		window.count(now_s, failed, bound);
	};

	/** What went through a server; without a name, through all together. */
	read(server?: string): Traffic {
		const window = server === undefined ? this.#all : this.#windows.get(server);
		return window?.read(this.#now()) ?? nothing();
	}

	/** What a tenant has called. */
	readTenant(tenant: string): Traffic {
		return this.#tenants.get(tenant)?.read(this.#now()) ?? nothing();
	}

	/** Tenants that have called anything lately. */
	tenants(): string[] {
		const now_s = this.#now();
		return [...this.#tenants].filter(([, one]) => !one.isQuiet(now_s)).map(([name]) => name);
	}

	/** Forgets servers that are not there any more. */
	keep(servers: ReadonlySet<string>): void {
		for (const name of this.#windows.keys()) if (!servers.has(name)) this.#windows.delete(name);
	}

	/** Where a tenant is counted; undefined: there are too many that call. */
	#tenant(name: string, now_s: number): Window | undefined {
		const known = this.#tenants.get(name);
		if (known !== undefined) return known;
		if (this.#tenants.size >= tenants_max && !this.#makeRoom(now_s)) return undefined;
		const added = new Window();
		this.#tenants.set(name, added);
		return added;
	}

	/** Forgets tenants that are quiet, at most once a second; whether there were any. */
	#makeRoom(now_s: number): boolean {
		if (this.#swept_s === now_s) return false;
		this.#swept_s = now_s;
		for (const [name, window] of this.#tenants) {
			if (window.isQuiet(now_s)) this.#tenants.delete(name);
		}
		return this.#tenants.size < tenants_max;
	}

	#now(): number {
		return Math.floor(this.#clock.monotonic() / 1000);
	}
}

function nothing(): Traffic {
	return { calls_per_s: 0, error_rate: 0, calls: 0, spark: [] };
}
