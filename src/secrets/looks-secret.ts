import { namesSecret } from "./key-names.ts";
import { token_patterns } from "./token-patterns.ts";

/** The last word of a name says what its value is: `AUTH_TOKEN` is one, `TOKEN_LIMIT` is none. */
const last_words =
	/^(token|secret|password|passwd|passphrase|pat|key|apikey|credential|credentials|authorization|cookie|jwt|dsn)$/;
/** Keys that are none of ours: `PUBLIC_KEY` and the like. */
const open_keys = /(^|_)(public|primary|sort|cache|foreign|partition|host|public_?api)_?key$/i;

/** Values that nobody keeps secret, whatever they are called. */
const open_values =
	/^(|true|false|yes|no|on|off|none|null|undefined|default|auto|\d{1,5}|<[^<>]*>|[./~][\w./~ -]*)$/i;

/**
 * Whether a value that stands in a file in plain text looks like a secret: by what it is called, or
 * by what it is. It rather says so of too much than of too little; a number, a switch or a path is
 * none.
 */
export function looksSecret(value: string, name = ""): boolean {
	const text = value.trim();
	if (open_values.test(text)) return false;
	return (text.length >= 4 && callsSecret(name)) || holdsToken(text);
}

/** Whether the value under this name is secret by its name. */
export function callsSecret(name: string): boolean {
	if (name === "" || open_keys.test(name)) return false;
	const words = name
		.replace(/([a-z0-9])([A-Z])/g, "$1 $2")
		.toLowerCase()
		.split(/[^a-z0-9]+/)
		.filter((word) => word !== "");
	const last = words.at(-1) ?? "";
	return last_words.test(last) && (last !== "key" || words.length > 1 || namesSecret(name));
}

/** Whether a token of a known service, or a password in an address, stands in a text. */
function holdsToken(text: string): boolean {
	return token_patterns.some(({ keywords, pattern, name }) => {
		if (name === "named" || !keywords.some((keyword) => text.includes(keyword))) return false;
		pattern.lastIndex = 0;
		const found = pattern.test(text);
		pattern.lastIndex = 0;
		return found;
	});
}
