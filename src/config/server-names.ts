import { createHash } from "node:crypto";

/**
 * Names of servers and endpoints. A name is part of an address (`/<name>/mcp`) and of tool
 * names (`<name>__tool`), so it must be safe in both.
 */

export const server_name_chars_max = 40;

/** Letters, digits, `.`, `_` and `-`, starting with a letter or a digit. */
export const server_name_pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** First path segments the gateway uses itself. */
export const reserved_names: readonly string[] = [
	"mcp",
	"sse",
	"message",
	"api",
	"oauth",
	"healthz",
	"readyz",
	"metrics",
	".well-known",
];

/** What is wrong with a name, and what to do about it. */
export interface NameProblem {
	/** `form`: a safe name can be made of it; the others change meaning when repaired. */
	readonly kind: "reserved" | "separator" | "form";
	readonly message: string;
	readonly next: string;
}

/** Checks a name as it stands; undefined when it is fine. */
export function checkServerName(name: string): NameProblem | undefined {
	const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
	if (reserved_names.includes(name.toLowerCase())) {
		return {
			kind: "reserved",
			message: `The name \`${shown}\` is reserved for an address of Moorage itself.`,
			next: "Choose another name.",
		};
	}
	if (name.includes("__")) {
		return {
			kind: "separator",
			message: `The name \`${shown}\` contains \`__\`, which separates server and tool.`,
			next: `Use \`${name.replaceAll(/__+/g, "-").slice(0, 60)}\` or another name without it.`,
		};
	}
	if (!server_name_pattern.test(name)) {
		return {
			kind: "form",
			message: `The name \`${shown}\` cannot be part of an address.`,
			next: `Use letters, digits, \`.\`, \`_\` and \`-\`, at most ${server_name_chars_max}, starting with a letter or digit, for example \`${safeServerName(name)}\`.`,
		};
	}
	if (name.endsWith("_")) {
		return {
			kind: "form",
			message: `The name \`${shown}\` ends in \`_\`, which would run into the \`__\` before a tool.`,
			next: "Remove the last character.",
		};
	}
	return undefined;
}

/**
 * The address-safe form of any name: accents dropped, runs of other characters turned into
 * `-`, a long name shortened and told apart by a hash. The same name always becomes the same
 * one. The result may still be reserved or contain `__`; the caller checks.
 */
export function safeServerName(name: string): string {
	const plain = trimName(
		name
			.normalize("NFKD")
			.replaceAll(/\p{M}/gu, "")
			.replaceAll(/[^A-Za-z0-9._-]+/g, "-")
			.replaceAll(/-{2,}/g, "-"),
	);
	if (plain !== "" && plain.length <= server_name_chars_max) return plain;
	const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
	// Nothing readable is left of a name in another script: a stable stand-in.
	if (plain === "") return `server-${hash}`;
	return `${trimName(plain.slice(0, server_name_chars_max - hash.length - 1))}-${hash}`;
}

/** A name with an ending, such as `-fork`: what is in front is cut off where it is too long. */
export function withEnding(name: string, ending: string): string {
	const chars_max = server_name_chars_max - ending.length;
	const kept = name.length <= chars_max ? name : trimName(name.slice(0, chars_max));
	return `${kept}${ending}`;
}

function trimName(name: string): string {
	return name.replace(/^[^A-Za-z0-9]+/, "").replace(/[._-]+$/, "");
}
