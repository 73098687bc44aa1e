/** Shortest value, in bytes, that is looked for: a shorter one stands in half of all texts. */
export const value_bytes_min = 4;

/** Longest form that is looked for as one; longer ones are looked for piece by piece. */
export const piece_bytes_max = 256;

/** Which forms are looked for: `fewer` for what there are tens of thousands of. */
export type FormRange = "all" | "fewer";

/** Columns at which programs break base64 (RFC 7468, RFC 2045) and hex (`xxd -p`) into lines. */
const base64_columns = [64, 76] as const;
const hex_columns = [60, 64] as const;
/** A shorter line of an encoding stands in too much else. */
const encoded_line_chars_min = 8;

/** What programs write as \u00XX in JSON: Go; Gson; PHP; .NET. */
const json_escapes = ["<>&", "<>&'=", "<>&'\"", "<>&'\"+`"] as const;

/** Lines of a longer value that are worth finding alone, as the lines of a key in PEM form. */
const line_chars_min = 16;
const pem_boundary = /^-----(BEGIN|END) /;

/**
 * Everything a secret may look like where it turns up, as byte strings of `value_bytes_min` to
 * `piece_bytes_max` bytes: itself, and within JSON (twice as well, with `/` or all but ASCII
 * escaped, and with the signs of HTML escaped as several languages do), addresses and forms, hex,
 * and base64 at each of its three alignments in both alphabets; each of them for the secrets within
 * it as well, see `secretsWithin`. With all forms come the lines that hex and base64 are broken
 * into when nothing stands before the value, UTF-16LE, and base64 of that.
 */
export function secretForms(value: string, range: FormRange = "all"): Buffer[] {
	const texts = new Set<string>();
	for (const secret of secretsWithin(value)) {
		const whole = secret.toWellFormed();
		// As latin1 every byte is one character, so that equal bytes are equal texts.
		for (const form of formsOf(whole)) texts.add(Buffer.from(form).toString("latin1"));
		if (range === "all") for (const form of rarerForms(whole)) texts.add(form);
	}
	const pieces = new Set<string>();
	for (const text of texts) for (const piece of cut(text)) pieces.add(piece);
	return [...pieces].map((piece) => Buffer.from(piece, "latin1"));
}

/**
 * The value, and what of it is as secret when it stands alone: its lines, the credentials behind
 * `Bearer` or `Basic`, the password of an address, and the texts of a JSON object.
 */
function secretsWithin(value: string): Set<string> {
	const found = new Set([value, value.trim()]);
	const lines = value.split(/\r?\n/).map((line) => line.trim());
	if (lines.length > 1) {
		for (const line of lines) {
			if (line.length >= line_chars_min && !pem_boundary.test(line)) found.add(line);
		}
	}
	const [, scheme = "", credentials] = /^(bearer|basic|token) +(\S+)$/i.exec(value.trim()) ?? [];
	if (credentials !== undefined) {
		found.add(credentials);
		if (/basic/i.test(scheme)) {
			const pair = Buffer.from(credentials, "base64").toString();
			found.add(pair.slice(pair.indexOf(":") + 1));
		}
	}
	for (const password of passwords(value)) found.add(password);
	for (const text of jsonTexts(value)) found.add(text);
	return new Set([...found].filter((text) => Buffer.byteLength(text) >= value_bytes_min));
}

/** The password of an address, as it stands there and decoded. */
function passwords(value: string): string[] {
	const [, password] = /^[a-z][a-z\d+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/i.exec(value.trim()) ?? [];
	if (password === undefined) return [];
	try {
		return [password, decodeURIComponent(password)];
	} catch {
		return [password];
	}
}

/** A service account's key comes as a JSON object, of which programs print a part. */
function jsonTexts(value: string): string[] {
	if (!value.trimStart().startsWith("{")) return [];
	try {
		const members = Object.entries(JSON.parse(value) as Record<string, unknown>);
		const texts = members.filter(
			(entry): entry is [string, string] =>
				typeof entry[1] === "string" && /key|token|secret|passw|credential/i.test(entry[0]),
		);
		return texts.flatMap(([, text]) => [text, ...text.split("\n").filter(isKeyLine)]);
	} catch {
		return [];
	}
}

function isKeyLine(line: string): boolean {
	return line.length >= line_chars_min && !pem_boundary.test(line);
}

function formsOf(secret: string): string[] {
	const bytes = Buffer.from(secret);
	const json = inJson(secret);
	const url = encodeURIComponent(secret);
	const strict_url = url.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
	const hex = bytes.toString("hex");
	return [
		secret,
		json,
		inJson(json),
		json.replaceAll("/", "\\/"),
		asciiJson(json),
		upperCodes(asciiJson(json)),
		url,
		lowerPercent(url),
		strict_url.replace(/%[0-9a-f]{2}/g, (code) => code.toUpperCase()),
		lowerPercent(strict_url),
		...escapedJson(secret),
		url.replaceAll("%20", "+"),
		lowerPercent(url.replaceAll("%20", "+")),
		new URLSearchParams([["", secret]]).toString().slice(1),
		encodeURI(secret),
		hex,
		hex.toUpperCase(),
		...[0, 1, 2].flatMap((before) => {
			const text = alignedBase64(bytes, before);
			return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
		}),
	].filter((form) => Buffer.byteLength(form) >= value_bytes_min);
}

/** Forms that only some programs write, as latin1 texts. */
function rarerForms(secret: string): string[] {
	const hex = Buffer.from(secret).toString("hex");
	const wide = Buffer.from(secret, "utf16le");
	return [
		...base64_columns.flatMap((columns) =>
			brokenAt(columns, alignedBase64(Buffer.from(secret), 0)),
		),
		...hex_columns.flatMap((columns) => [
			...brokenAt(columns, hex),
			...brokenAt(columns, hex.toUpperCase()),
		]),
		wide.toString("latin1"),
		...[0, 1, 2].map((before) => alignedBase64(wide, before)),
	];
}

/** The lines of an encoding that is broken into lines; none where it is one line. */
function brokenAt(columns: number, encoded: string): string[] {
	if (encoded.length <= columns) return [];
	const lines = encoded.match(new RegExp(`.{1,${columns}}`, "g")) ?? [];
	return lines.filter(({ length }) => length >= encoded_line_chars_min);
}

/** In JSON whose writer escapes signs that need not be, with digits of either case. */
function escapedJson(secret: string): string[] {
	const signs = json_escapes.filter((all) => Array.from(all).some((sign) => secret.includes(sign)));
	return signs.flatMap((escaped) => {
		const json = Array.from(secret)
			.map((sign) => (escaped.includes(sign) ? codeOf(sign) : inJson(sign)))
			.join("");
		const all = [json, upperCodes(json), asciiJson(json), upperCodes(asciiJson(json))];
		return all.flatMap((form) => [form, inJson(form)]);
	});
}

function codeOf(sign: string): string {
	return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** With the digits of each code in capitals; a backslash that is escaped begins none. */
function upperCodes(json: string): string {
	return json.replace(/\\(?:u[0-9a-f]{4}|.)/g, (code) =>
		code.length === 6 ? `\\u${code.slice(2).toUpperCase()}` : code,
	);
}

function inJson(text: string): string {
	return JSON.stringify(text).slice(1, -1);
}

function asciiJson(json: string): string {
	return json.replace(/[\u007f-\uffff]/g, codeOf);
}

function lowerPercent(text: string): string {
	return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

/**
 * What of the base64 (RFC 4648) of a longer text is the same whatever stands around these bytes,
 * when `before` bytes of a group of three stand before them.
 */
function alignedBase64(bytes: Buffer, before: number): string {
	const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
	const first = Math.ceil((before * 8) / 6);
	return text.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
}

/** Pieces that together are all of the text; the last one overlaps rather than be short. */
function cut(text: string): string[] {
	if (text.length <= piece_bytes_max) return [text];
	const pieces: string[] = [];
	for (let start = 0; start + piece_bytes_max < text.length; start += piece_bytes_max) {
		pieces.push(text.slice(start, start + piece_bytes_max));
	}
	pieces.push(text.slice(-piece_bytes_max));
	return pieces;
}
