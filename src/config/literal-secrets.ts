import { looksSecret } from "../secrets/looks-secret.ts";
import { referenceText, templateParts } from "../secrets/template.ts";
import type { Placed } from "./located.ts";
import type { Report } from "./report.ts";

/** Where in a server's configuration a text stands. */
export interface TextPlace {
	readonly server: string;
	/** `env`, `headers`, `args`, `url`, `auth` or `files`. */
	readonly part: string;
	/** The variable, header, option or member whose value it is; empty where it has no name. */
	readonly name: string;
}

/**
 * Secrets that stand in a configuration in plain text. In moorage.yaml they are refused. In the
 * file of another client, which is as that client wrote it, they are taken on loopback without
 * identity: held beside the plan, which has a reference in their place. No problem or warning ever
 * repeats one.
 */
export class LiteralSecrets {
	/** Values by the reference that stands for them. */
	readonly held = new Map<string, string>();
	readonly #form: "moorage" | "client";
	readonly #identity: boolean;
	readonly #report: Report;

	constructor(options: {
		readonly form: "moorage" | "client";
		/** Whether callers have to say who they are. */
		readonly identity: boolean;
		readonly report: Report;
	}) {
		this.#form = options.form;
		this.#identity = options.identity;
		this.#report = options.report;
	}

	/** The template that goes into the plan. */
	keep(template: string, placed: Placed, place: TextPlace): string {
		const texts = templateParts(template).filter((part) => typeof part === "string");
		const [value] = texts.filter((text) => isSecretText(text, place));
		if (value === undefined) return template;
		const about = `The value of ${describe(place)} looks like a secret in plain text.`;
		const { name: file } = this.#report.source;
		const secret = secretName(place);
		if (this.#form === "moorage") {
			const written = `\`${referenceTo(secret, value, place)}\``;
			const where =
				place.part === "args"
					? `give it to the program in \`env\`, where it takes that: every user of the machine can read arguments. Else write ${written} here.`
					: `write ${written} here.`;
			const next = `Run \`moorage secret set ${secret}\`, and ${where}`;
			this.#report.problem(placed.start, about, next);
			return template;
		}
		const next = `Run \`moorage secret import ${file}\`: it moves the secrets of the file into the vault.`;
		if (this.#identity) {
			this.#report.problem(placed.start, about, next);
			return template;
		}
		this.#report.warn(placed.start, `${about} ${next}`);
		// Of a text with references in it, only a part is literal: that stays where it is.
		if (texts.length !== templateParts(template).length) return template;
		const path = [place.server, place.part, place.name].filter((word) => word !== "").join("/");
		let key = referenceText({ kind: "literal", body: path });
		for (let count = 2; this.held.has(key); count += 1) {
			key = referenceText({ kind: "literal", body: `${path}/${count}` });
		}
		this.held.set(key, value);
		return key;
	}
}

/** The name under which a secret of this place is stored, unless somebody chooses another. */
export function secretName({ server, name, part }: TextPlace): string {
	const generic = /^(authorization|token|password|secret|apikey|key)$/i;
	const word = name.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "");
	const full = word === "" || generic.test(word) ? `${server}_${word || part}` : word;
	return full.toLowerCase().slice(0, 128);
}

/** The text with a reference in the place of its secret part. */
export function referenceTo(secret: string, value: string, place: TextPlace): string {
	const written = `\${secret:${secret}}`;
	const [, scheme] = /^(bearer|basic|token) +\S+$/i.exec(value.trim()) ?? [];
	if (scheme !== undefined) return `${scheme} ${written}`;
	const [, option] = /^(--?[\w-]+=)/.exec(value) ?? [];
	return place.part === "args" && option !== undefined ? `${option}${written}` : written;
}

/** Whether a text at a place is a secret, or holds one. */
export function isSecretText(text: string, place: TextPlace): boolean {
	if (place.part === "url") return urlHoldsSecret(text);
	const [, option, value] = /^--?([\w-]+)=(.*)$/s.exec(text) ?? [];
	if (place.part === "args" && option !== undefined) return looksSecret(value ?? "", option);
	// Authorization consists of a scheme, which is no secret, and credentials.
	const credentials = text.replace(/^\s*(bearer|basic|token)\b/i, "");
	return looksSecret(credentials, place.name) || looksSecret(text);
}

/** A token in the query of an address, or anywhere else in it. */
function urlHoldsSecret(text: string): boolean {
	const query = text.slice(text.indexOf("?") + 1);
	const named = text.includes("?") ? [...new URLSearchParams(query)] : [];
	// Credentials before the host are refused as such.
	const bare = text.replace(/\/\/[^/]*@/, "//");
	return named.some(([name, value]) => looksSecret(value, name)) || looksSecret(bare);
}

function describe({ server, part, name }: TextPlace): string {
	if (part === "url") return `the \`url\` of \`${server}\``;
	if (name === "") return `one of the \`${part}\` of \`${server}\``;
	return `\`${name}\` of \`${server}\``;
}
