/** What a server says in `WWW-Authenticate: Bearer` (RFC 6750 section 3, RFC 9728 section 5.1). */
export interface BearerChallenge {
	readonly resource_metadata: string | undefined;
	readonly scopes: readonly string[];
	readonly error: string | undefined;
}

/** Longest header that is read; real ones are a few hundred characters. */
const header_chars_max = 8_192;
/** Scopes of one challenge that are taken. */
const scopes_max = 64;

const no_challenge: BearerChallenge = {
	resource_metadata: undefined,
	scopes: [],
	error: undefined,
};

/** A scheme with a space behind it, or a parameter; quoted text cannot be taken for either. */
const piece =
	/([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|(?=\s|,|$))/gy;

/** Reads the Bearer challenge of a refusal; without one everything is empty. */
export function readChallenge(header: string | string[] | undefined): BearerChallenge {
	const text = (Array.isArray(header) ? header.join(", ") : header) ?? "";
	if (text.length > header_chars_max) return no_challenge;
	const parameters = bearerParameters(text);
	return {
		resource_metadata: parameters.get("resource_metadata"),
		scopes: splitScopes(parameters.get("scope")),
		error: parameters.get("error"),
	};
}

/** The scopes of a `scope` value (RFC 6749 section 3.3), each once, at most 64. */
export function splitScopes(text: string | undefined): string[] {
	const words = (text ?? "").split(" ").filter((word) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word));
	return [...new Set(words)].slice(0, scopes_max);
}

function bearerParameters(text: string): Map<string, string> {
	const found = new Map<string, string>();
	let in_bearer = false;
	let index = 0;
	while (index < text.length) {
		piece.lastIndex = index;
		const match = piece.exec(text);
		if (match === null) {
			index += 1;
			continue;
		}
		index = Math.max(piece.lastIndex, index + 1);
		const [, name = "", quoted, plain] = match;
		if (quoted === undefined && plain === undefined) {
			in_bearer = name.toLowerCase() === "bearer" && found.size === 0;
		} else if (in_bearer && !found.has(name.toLowerCase())) {
			found.set(name.toLowerCase(), plain ?? quoted?.replaceAll(/\\(.)/g, "$1") ?? "");
		}
	}
	return found;
}
