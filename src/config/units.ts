/** Durations and sizes as people write them in a configuration. */

/** A number and a unit: `500ms`, `30s`, `5m`, `1h`. */
export const duration_pattern = /^(\d{1,9})(ms|s|m|h)$/;

/** A number and a unit: `512KiB`, `4MiB`, `1GiB`; or plain bytes as `4096B`. */
export const size_pattern = /^(\d{1,12})(B|KiB|MiB|GiB)$/;

const duration_units: Readonly<Record<string, number>> = {
	ms: 1,
	s: 1000,
	m: 60_000,
	h: 3_600_000,
};

const size_units: Readonly<Record<string, number>> = {
	B: 1,
	KiB: 1024,
	MiB: 1024 ** 2,
	GiB: 1024 ** 3,
};

/** Milliseconds of a duration such as `30s`; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
	return parseWithUnit(text, duration_pattern, duration_units);
}

/** Bytes of a size such as `4MiB`; undefined when it is not one. */
export function parseSize(text: string): number | undefined {
	return parseWithUnit(text, size_pattern, size_units);
}

/** A duration in the largest unit that keeps it whole: 300000 is `5m`. */
export function formatDuration(duration_ms: number): string {
	return formatWithUnit(duration_ms, duration_units);
}

/** A size in the largest unit that keeps it whole: 4194304 is `4MiB`. */
export function formatSize(bytes: number): string {
	return formatWithUnit(bytes, size_units);
}

function parseWithUnit(
	text: string,
	pattern: RegExp,
	units: Readonly<Record<string, number>>,
): number | undefined {
	const [, digits, unit] = pattern.exec(text) ?? [];
	const factor = unit === undefined ? undefined : units[unit];
	return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

function formatWithUnit(amount: number, units: Readonly<Record<string, number>>): string {
	let text = String(amount);
	for (const [unit, factor] of Object.entries(units)) {
		if (amount === 0 || amount % factor === 0) text = `${amount / factor}${unit}`;
		if (amount === 0) break;
	}
	return text;
}
