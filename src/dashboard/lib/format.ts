import { stringifyExact } from "./exact-json.ts";

/** Numbers and times as people read them. */

const byte_units = ["B", "KB", "MB", "GB", "TB"];

/** `1536` is `1.5 KB`. */
export function bytes(count: number): string {
	let value = count;
	let unit = 0;
	while (value >= 1000 && unit < byte_units.length - 1) {
		value /= 1024;
		unit += 1;
	}
	return `${shortened(value)} ${byte_units[unit]}`;
}

/** `0.42` is `0.4 ms`, `61_000` is `1 m 1 s`. */
export function duration(ms: number): string {
	if (ms < 1000) return `${shortened(ms)} ms`;
	if (ms < 60_000) return `${shortened(ms / 1000)} s`;
	const s = Math.floor(ms / 1000);
	if (s < 3_600) return `${Math.floor(s / 60)} m ${s % 60} s`;
	const h = Math.floor(s / 3_600);
	if (h < 48) return `${h} h ${Math.floor((s % 3_600) / 60)} m`;
	return `${Math.floor(h / 24)} days`;
}

/** `0.0213` is `2.1%`. */
export function percent(share: number): string {
	if (share === 0) return "0%";
	return `${share < 0.001 ? "<0.1" : shortened(share * 100)}%`;
}

/** Calls per second. */
export function rate(per_s: number): string {
	return per_s === 0 ? "0" : per_s < 0.1 ? "<0.1" : shortened(per_s);
}

/** `1 call`, `2 calls`: a number with what it counts. */
export function counted(number: number, one: string, many = `${one}s`): string {
	return `${number} ${number === 1 ? one : many}`;
}

/** `1204` is `1.2k`. */
export function count(value: number): string {
	if (value < 1000) return String(value);
	if (value < 1_000_000) return `${shortened(value / 1000)}k`;
	return `${shortened(value / 1_000_000)}M`;
}

/** Three digits at most, none of them useless. */
function shortened(value: number): string {
	if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
	return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

/** `14:03:59`, in the zone of the person. */
export function clockTime(at_ms: number): string {
	const at = new Date(at_ms);
	return [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");
}

/** `2026-11-28 14:03`, in the zone of the person. */
export function dateTime(at_ms: number): string {
	const at = new Date(at_ms);
	const day = [at.getFullYear(), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join("-");
	return `${day} ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

/** Whether two moments are on one day, in the zone of the person. */
export function isSameDay(one_ms: number, other_ms: number): boolean {
	return new Date(one_ms).toDateString() === new Date(other_ms).toDateString();
}

/** `3 minutes ago`, `in 2 hours`. */
export function relative(at_ms: number, now_ms: number): string {
	const distance_ms = at_ms - now_ms;
	const size = Math.abs(distance_ms);
	if (size < 10_000) return distance_ms <= 0 ? "just now" : "in a moment";
	const [amount, unit] =
		size < 60_000
			? [Math.round(size / 1000), "second"]
			: size < 3_600_000
				? [Math.round(size / 60_000), "minute"]
				: size < 86_400_000
					? [Math.round(size / 3_600_000), "hour"]
					: [Math.round(size / 86_400_000), "day"];
	const text = `${amount} ${unit}${amount === 1 ? "" : "s"}`;
	return distance_ms < 0 ? `${text} ago` : `in ${text}`;
}

function twoDigits(value: number): string {
	return String(value).padStart(2, "0");
}

/**
 * Text of a stranger, on one line: what would turn the direction of writing around, or hide, is
 * shown as a sign that something was there.
 */
export function plain(text: string, chars_max = 200): string {
	const visible = text.replaceAll(
		/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
		(char) => (/\s/.test(char) ? " " : "\ufffd"),
	);
	return visible.length > chars_max ? `${visible.slice(0, chars_max)}…` : visible;
}

/**
 * The raw JSON of a value, where a look at the value itself does not show all of it: digits that no
 * number here holds, members that are there twice, and what hides, which is written as an escape.
 */
export function exactJson(json: string, value: unknown): string | undefined {
	const visible = json.replace(
		/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]|\p{Default_Ignorable_Code_Point}/gu,
		(char) =>
			char
				.split("")
				.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
				.join(""),
	);
	return visible === JSON.stringify(value) ? undefined : visible;
}

/** Text of a stranger on several lines: see `plain`. */
export function plainLines(text: string, chars_max: number): string {
	const lines = text.slice(0, chars_max).split("\n");
	return lines.map((line) => plain(line.replaceAll("\t", "  "), chars_max)).join("\n");
}

/** A value of a stranger as a text: what is none becomes JSON, what is not there nothing. */
export function textOf(value: unknown): string {
	if (typeof value === "string") return value;
	return value === undefined || value === null ? "" : stringifyExact(value);
}
