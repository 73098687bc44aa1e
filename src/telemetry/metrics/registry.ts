import { assert } from "../../lib/assert.ts";
import { Counter, Family, Histogram, type MetricInfo } from "./instruments.ts";

/** One value of a metric at one moment. */
export interface Point {
	readonly labels: readonly string[];
	readonly value: number;
}

/** One histogram at one moment. */
export interface HistogramPoint {
	readonly labels: readonly string[];
	readonly bounds: readonly number[];
	/** One more than bounds. */
	readonly counts: readonly number[];
	readonly sum: number;
	readonly count: number;
}

/** A metric at one moment. */
export type MetricSnapshot =
	| {
			readonly kind: "counter" | "gauge";
			readonly info: MetricInfo;
			readonly points: readonly Point[];
	  }
	| {
			readonly kind: "histogram";
			readonly info: MetricInfo;
			readonly points: readonly HistogramPoint[];
	  };

/** Reads values that somebody else keeps, at the moment they are asked for. */
export type ReadPoints = () => Iterable<Point>;

/** Every metric of the house, in the order they were made. */
export class Registry {
	readonly #metrics = new Map<string, () => MetricSnapshot>();
	readonly #refreshers: (() => Promise<void>)[] = [];

	counter(info: MetricInfo): Family<Counter> {
		const family = new Family(info, () => new Counter());
		this.#add(info, () => ({
			kind: "counter",
			info,
			points: family.series.map(({ labels, instrument }) => ({ labels, value: instrument.value })),
		}));
		return family;
	}

	histogram(info: MetricInfo, bounds: readonly number[]): Family<Histogram> {
		const family = new Family(info, () => new Histogram(bounds));
		this.#add(info, () => ({
			kind: "histogram",
			info,
			points: family.series.map(({ labels, instrument }) => ({
				labels,
				bounds,
				counts: [...instrument.counts],
				sum: instrument.sum,
				count: instrument.count,
			})),
		}));
		return family;
	}

	/** A value that somebody else keeps: `gauge` goes up and down, `counter` only up. */
	observe(kind: "gauge" | "counter", info: MetricInfo, read: ReadPoints): void {
		this.#add(info, () => ({ kind, info, points: [...read()] }));
	}

	/** Called, and waited for, before every snapshot. Must not reject. */
	refresh(work: () => Promise<void>): void {
		this.#refreshers.push(work);
	}

	async snapshot(): Promise<readonly MetricSnapshot[]> {
		await Promise.all(this.#refreshers.map((work) => work()));
		return [...this.#metrics.values()].map((read) => read());
	}

	#add(info: MetricInfo, read: () => MetricSnapshot): void {
		assert(!this.#metrics.has(info.name), `there are two metrics "${info.name}"`);
		this.#metrics.set(info.name, read);
	}
}
