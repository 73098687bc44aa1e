const duration_form = /^(\d{1,9})(s|m|h|d)$/;
const unit_ms: Readonly<Record<string, number>> = {
	s: 1000,
	m: 60_000,
	h: 3_600_000,
	d: 24 * 3_600_000,
};

/** A time, or one that is so long ago; NaN where it is neither. */
export function readTime(text: string | undefined, now_ms: number): number | undefined {
	if (text === undefined) return undefined;
	const [, digits, unit = ""] = duration_form.exec(text) ?? [];
	if (digits !== undefined) return now_ms - Number(digits) * (unit_ms[unit] ?? 0);
	return /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
}
