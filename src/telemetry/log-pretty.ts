/** How a line is made for people. */
export interface PrettyOptions {
	/** True to colour the level and the fields (ECMA-48 sequences). */
	readonly color: boolean;
}

const level_colors: Readonly<Record<string, string>> = {
	debug: "\u001b[2m",
	info: "\u001b[32m",
	warn: "\u001b[33m",
	error: "\u001b[31m",
};
const dim = "\u001b[2m";
const plain = "\u001b[0m";

/** Characters that would move a terminal's cursor, change its state or break the line. */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * One JSON log line as one line for people: `14:03:22 WARN  a sentence  key=value`. What is no
 * JSON object comes back as it is. Control characters are shown as escapes, so that a hosted
 * server cannot write to the terminal through the log.
 */
export function formatPretty(line: string, options: PrettyOptions): string {
	const parsed = parse(line);
	if (parsed === undefined) return line;
	const { level, time, message, ...fields } = parsed;
	const paint = (color: string | undefined, text: string) =>
		options.color && color !== undefined ? `${color}${text}${plain}` : text;
	const head = paint(level_colors[String(level)], String(level).toUpperCase().padEnd(5));
	const tail = Object.entries(fields)
		.map(([key, value]) => paint(dim, `${showText(key)}=${showValue(value)}`))
		.join(" ");
	const text = showText(typeof message === "string" ? message : JSON.stringify(message ?? ""));
	return `${showTime(time)} ${head} ${text}${tail === "" ? "" : `  ${tail}`}\n`;
}

function parse(line: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(line);
		if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
		return value as Record<string, unknown>;
	} catch {
		return undefined;
	}
}

/** The time of day where this machine is. */
function showTime(time: unknown): string {
	const date = new Date(String(time));
	return Number.isNaN(date.getTime()) ? "--:--:--" : date.toTimeString().slice(0, 8);
}

function showText(text: string): string {
	return text.replace(
		controls,
		(character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}

/** Words stand bare; all else stands as JSON does. */
function showValue(value: unknown): string {
	if (typeof value === "string" && /^[\w.:/@+-]+$/.test(value)) return value;
	return showText(JSON.stringify(value) ?? "");
}
