import { type Located, offsetOf } from "./located.ts";
import type { Report } from "./report.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

/** From least to most. */
export type AmountRange = readonly [number, number];

/** Reads durations and sizes of a file; what is out of range goes to the report with its place. */
export class Amounts {
	readonly #root: Located;
	readonly #report: Report;

	constructor(root: Located, report: Report) {
		this.#root = root;
		this.#report = report;
	}

	/** Milliseconds of a text that has been checked to be a duration. */
	duration(text: string, range: AmountRange, path: readonly string[]): number {
		const duration_ms = parseDuration(text) ?? 0;
		this.#within(duration_ms, range, formatDuration, path);
		return duration_ms;
	}

	/** Bytes of a text that has been checked to be a size. */
	size(text: string, range: AmountRange, path: readonly string[]): number {
		const bytes = parseSize(text) ?? 0;
		this.#within(bytes, range, formatSize, path);
		return bytes;
	}

	#within(
		amount: number,
		[least, most]: AmountRange,
		format: (amount: number) => string,
		path: readonly string[],
	): void {
		if (amount >= least && amount <= most) return;
		this.#report.problem(
			offsetOf(this.#root, path),
			`\`${path.join(".")}\` must be between ${format(least)} and ${format(most)}.`,
			"Write a value in this range.",
		);
	}
}
