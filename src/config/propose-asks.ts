import { looksSecret } from "../secrets/looks-secret.ts";
import { referencesIn } from "../secrets/template.ts";
import { isSecretText, secretName } from "./literal-secrets.ts";

/** A value of a pasted entry that a person has to give, or that belongs into the vault. */
export interface Ask {
	readonly kind: "env" | "header" | "argument" | "url";
	/** Of the variable, header, option or parameter. */
	readonly name: string;
	/** Whether nobody should see it: then the entry holds a reference to the vault instead. */
	readonly secret: boolean;
	/** The text of the entry that it is a part of. */
	readonly path: readonly (string | number)[];
	/** What stands before and after it in that text, such as `Bearer `. */
	readonly before: string;
	readonly after: string;
	/** What was pasted already; undefined where it has to be given. */
	readonly given: string | undefined;
	/** The name under which the vault would keep it. */
	readonly secret_name: string;
}

/** As much of an entry as values stand in. */
interface AskedEntry {
	readonly args?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly url?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

const secret_word = /(token|secret|passw|credential|api[-_]?key|auth|private|cookie)/i;
/** What people write in the place of a value that everybody has to fill in. */
const placeholder = /^$|^<.*>$|^\$\{.*\}$|^(your|my|insert|enter|replace)[-_ ]|x{3,}|\.{3}|^\*+$/i;
/** The same where paths and names stand too, which may look like it. */
const sure_placeholder = /^<[^<>]+>$|^\$\{[^{}]+\}$|^(YOUR|MY|INSERT|ENTER|REPLACE)[-_][A-Z_-]+$/;
const scheme = /^\s*(?:bearer|basic|token) +/i;

/** Every value of an entry that somebody has to give, and every secret that stands in it. */
export function asksOf(server: string, entry: AskedEntry): Ask[] {
	return [
		...named(server, "env", entry.env),
		...named(server, "header", entry.headers),
		...inArguments(server, entry.args ?? []),
		...inAddress(server, entry.url),
	];
}

function named(
	server: string,
	kind: "env" | "header",
	values: Readonly<Record<string, string>> = {},
): Ask[] {
	const part = kind === "env" ? "env" : "headers";
	return Object.entries(values).flatMap(([name, text]) => {
		if (isReference(text)) return [];
		const place = { server, part, name };
		const before = scheme.exec(text)?.[0] ?? "";
		const value = text.slice(before.length).trim();
		const missing = placeholder.test(value);
		if (!missing && !isSecretText(text, place)) return [];
		const secret = !missing || secret_word.test(name);
		const secret_name = secretName(place);
		const given = missing ? undefined : value;
		return [{ kind, name, secret, path: [part, name], before, after: "", given, secret_name }];
	});
}

function inArguments(server: string, args: readonly string[]): Ask[] {
	return args.flatMap((text, index) => {
		const [, lead = "", joined] = /^(--?[\w-]+=)(.*)$/s.exec(text) ?? [];
		const previous = args[index - 1] ?? "";
		const option = lead === "" && /^--?[\w-]+$/.test(previous) ? previous : lead.slice(0, -1);
		const value = joined ?? text;
		if (isReference(value) || (lead === "" && value.startsWith("-"))) return [];
		const missing = sure_placeholder.test(value);
		const place = { server, part: "args", name: option };
		if (!missing && !isSecretText(text, place)) return [];
		return [
			{
				kind: "argument",
				name: option === "" ? `argument ${index + 1}` : option,
				secret: !missing || secret_word.test(option + value),
				path: ["args", index],
				before: lead,
				after: "",
				given: missing ? undefined : value,
				secret_name: secretName(place),
			},
		];
	});
}

/** A token in the query of an address. */
function inAddress(server: string, url: string | undefined): Ask[] {
	const query = url?.indexOf("?") ?? -1;
	if (url === undefined || query < 0) return [];
	for (const { 0: pair, index } of url.slice(query + 1).matchAll(/[^&#]+/g)) {
		const [name = "", text = ""] = pair.split("=", 2);
		const value = decoded(text);
		const missing = sure_placeholder.test(value);
		if (isReference(value) || (!missing && !looksSecret(value, name))) continue;
		const start = query + 1 + index + name.length + 1;
		const secret_name = secretName({ server, part: "url", name });
		return [
			{
				kind: "url",
				name,
				secret: true,
				path: ["url"],
				before: url.slice(0, start),
				after: url.slice(start + text.length),
				given: missing ? undefined : value,
				secret_name,
			},
		];
	}
	return [];
}

/** References of ours say where their value is; `${TOKEN}` and VS Code's inputs do not. */
function isReference(text: string): boolean {
	return referencesIn(text).some(({ kind }) => /^(env|secret|vault|file)$/.test(kind));
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
