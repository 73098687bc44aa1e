import { assert } from "../../lib/assert.ts";

/** What stands in the place of a label's value once there are too many of them. */
export const overflow_label = "_other";

/** What a metric is called and means. Names and labels are those of OpenTelemetry, with dots. */
export interface MetricInfo {
	readonly name: string;
	readonly help: string;
	/** `s` and `By` become `seconds` and `bytes` for Prometheus; `1` is a plain number. */
	readonly unit: "s" | "By" | "1";
	readonly labels: readonly string[];
	/** Most combinations of labels; 2,000 unless given. What comes later is counted together. */
	readonly series_max?: number;
}

/** Something that only grows. */
export class Counter {
	value = 0;

	add(amount = 1): void {
		this.value += amount;
	}
}

/** Counts of values by size. Bounds are inclusive upper ends; one more bucket has the rest. */
export class Histogram {
	readonly bounds: readonly number[];
	readonly counts: Float64Array;
	sum = 0;
	count = 0;

	constructor(bounds: readonly number[]) {
		this.bounds = bounds;
		this.counts = new Float64Array(bounds.length + 1);
	}

	observe(value: number): void {
		const { bounds, counts } = this;
		let low = 0;
		let high = bounds.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (value <= (bounds[middle] as number)) high = middle;
			else low = middle + 1;
		}
		counts[low] = (counts[low] as number) + 1;
		this.sum += value;
		this.count += 1;
	}
}

/** One combination of labels and what is counted for it. */
export interface Series<Instrument> {
	readonly labels: readonly string[];
	readonly instrument: Instrument;
}

const series_max_default = 2_000;
const separator = "\u0000";

/** All series of one metric, up to an end: what callers name must not fill the memory. */
export class Family<Instrument extends Counter | Histogram> {
	readonly info: MetricInfo;
	readonly #make: () => Instrument;
	readonly #series = new Map<string, Series<Instrument>>();

	constructor(info: MetricInfo, make: () => Instrument) {
		this.info = info;
		this.#make = make;
	}

	/** The series of these labels, or the one that stands for all that are too many. */
	get(...labels: readonly string[]): Instrument {
		assert(labels.length === this.info.labels.length, "every label has a value");
		const key = labels.join(separator);
		const known = this.#series.get(key);
		if (known !== undefined) return known.instrument;
		const { series_max = series_max_default } = this.info;
		if (this.#series.size < series_max - 1) return this.#add(key, labels);
		const rest = labels.map(() => overflow_label);
		const rest_key = rest.join(separator);
		return this.#series.get(rest_key)?.instrument ?? this.#add(rest_key, rest);
	}

	get series(): readonly Series<Instrument>[] {
		return [...this.#series.values()];
	}

	#add(key: string, labels: readonly string[]): Instrument {
		const instrument = this.#make();
		this.#series.set(key, { labels: [...labels], instrument });
		return instrument;
	}
}

/** Lets a bounded number of values of one label through, and calls the rest `_other`. */
export class LabelCap {
	readonly #known = new Set<string>();
	readonly #values_max: number;

	constructor(values_max: number) {
		this.#values_max = values_max;
	}

	admit(value: string): string {
		if (this.#known.has(value)) return value;
		if (this.#known.size >= this.#values_max) return overflow_label;
		this.#known.add(value);
		return value;
	}
}
