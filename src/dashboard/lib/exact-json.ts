/**
 * JSON without losing a digit. Numbers that the browser would change, such as those beyond 2^53 and
 * `1.0`, are kept as they are written; everything else is what `JSON.parse` makes of it.
 */

/** A number as it is written, where a number of the browser would be another. */
export class ExactNumber {
	/** As JSON has it. */
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}

	toString(): string {
		return this.text;
	}

	/** For whoever needs a number, and can do with the nearest. */
	toJSON(): number {
		return Number(this.text);
	}
}

const number_form = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Without any of this no number of a text can be changed. */
const suspicious = /\d{16}|\d\.\d|\d[eE]|-0/;
const token_form = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^\s,:"[\]{}]+/g;

/** A number of JSON as a value, exactly; undefined for what is no number of JSON. */
export function numberOf(text: string): number | ExactNumber | undefined {
	if (!number_form.test(text)) return undefined;
	const value = Number(text);
	return String(value) === text ? value : new ExactNumber(text);
}

/** Whether a number of JSON is the same number as the nearest that can be had here. */
export function losesNothing({ text }: ExactNumber): boolean {
	return digitsOf(text) === digitsOf(String(Number(text)));
}

/** One text for all ways to write one number: its sign, its digits, and where their point is. */
function digitsOf(text: string): string {
	const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
	const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
	const digits = (whole + fraction).replace(/^0+/, "");
	const kept = digits.replace(/0+$/, "");
	if (kept === "") return /\d/.test(mantissa) ? "0" : text;
	const zeros = digits.length - kept.length;
	const places = BigInt(exponent) - BigInt(fraction.length) + BigInt(zeros);
	return `${text.startsWith("-") ? "-" : ""}${kept}e${places}`;
}

/** The value of a JSON text; throws as `JSON.parse` does. */
export function parseExact(text: string): unknown {
	const rough = JSON.parse(text) as unknown;
	if (!suspicious.test(text)) return rough;
	try {
		const tokens = text.match(token_form) ?? [];
		return read(tokens, { at: 0 });
	} catch {
		// Nested deeper than can be followed here.
		return rough;
	}
}

function read(tokens: readonly string[], place: { at: number }): unknown {
	const token = tokens[place.at] ?? "";
	place.at += 1;
	if (token === "[") {
		const items: unknown[] = [];
		while (tokens[place.at] !== "]") items.push(read(tokens, place));
		place.at += 1;
		return items;
	}
	if (token === "{") {
		const members: [string, unknown][] = [];
		while (tokens[place.at] !== "}") {
			const name = JSON.parse(tokens[place.at] ?? "") as string;
			place.at += 1;
			members.push([name, read(tokens, place)]);
		}
		place.at += 1;
		return Object.fromEntries(members);
	}
	return numberOf(token) ?? (JSON.parse(token) as unknown);
}

/** The JSON text of a value; members that are undefined are left out. */
export function stringifyExact(value: unknown, indent = ""): string {
	return written(value, indent, "\n");
}

function written(value: unknown, indent: string, line: string): string {
	if (value instanceof ExactNumber) return value.text;
	if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
	const inner = line + indent;
	const is_list = Array.isArray(value);
	const space = indent === "" ? "" : " ";
	const parts = is_list
		? (value as unknown[]).map((item) => written(item, indent, inner))
		: Object.entries(value)
				.filter(([, member]) => member !== undefined)
				.map(
					([name, member]) => `${JSON.stringify(name)}:${space}${written(member, indent, inner)}`,
				);
	const [open, close] = is_list ? "[]" : "{}";
	if (parts.length === 0) return `${open}${close}`;
	if (indent === "") return `${open}${parts.join(",")}${close}`;
	return `${open}${inner}${parts.join(`,${inner}`)}${line}${close}`;
}
