import { parseDocument } from "yaml";

/** Maps whose values are secrets as often as not. */
const secret_maps = new Set(["env", "headers"]);
/** Members, and options of command lines, whose value is a secret by its name. */
const secret_name = /(token|secret|passw|passphrase|credential|api[-_]?key|auth|hash|private)/i;
/** A value that is nothing but references to where the secret is. */
const only_references = /^(?:Bearer |Basic )?(?:\$\{[^}]*\}|\$[A-Za-z_]\w*)+$/i;
/** How the tokens of well-known services begin. */
const secret_value =
	/^(sk-|pk-|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ya29\.|eyJ|mrg_|moorage_|npm_|hf_)/;

/**
 * A configuration file as a value, with a reference (`${NAME}`) in the place of everything that is
 * or may be a secret: the values of environments and headers, credentials and queries in addresses,
 * and whatever is called by a secret's name. What refers to a secret elsewhere is kept.
 */
export function withoutSecrets(text: string): unknown {
	return stripped(parseDocument(text).toJS() as unknown, []);
}

function stripped(value: unknown, path: readonly string[]): unknown {
	if (Array.isArray(value)) return strippedList(value as unknown[], path);
	if (typeof value === "object" && value !== null) {
		return Object.fromEntries(
			Object.entries(value).map(([name, member]) => [name, stripped(member, [...path, name])]),
		);
	}
	if (value === null || typeof value === "boolean") return value;
	const name = path.at(-1) ?? "";
	const hidden = secret_maps.has(path.at(-2) ?? "") || secret_name.test(name);
	if (typeof value !== "string") return hidden ? reference(name) : value;
	if (only_references.test(value)) return value;
	if (hidden || secret_value.test(value)) return reference(name);
	return strippedAddress(value);
}

/** Words of a command line: `--token x` and `--token=x` lose their `x`. */
function strippedList(list: readonly unknown[], path: readonly string[]): unknown[] {
	return list.map((value, index) => {
		if (typeof value !== "string") return stripped(value, path);
		const before = list[index - 1];
		const option = /^(-[^=]*|\w+)=(.*)$/s.exec(value);
		if (option !== null) {
			const [, name = "", rest = ""] = option;
			return `${name}=${String(stripped(rest, [name]))}`;
		}
		const named = typeof before === "string" && before.startsWith("-") && !before.includes("=");
		return stripped(value, named && !value.startsWith("-") ? [before] : []);
	});
}

function strippedAddress(value: string): string {
	const url = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
	if (url === null || (url.username === "" && url.password === "" && url.search === "")) {
		return value;
	}
	if (url.username !== "") url.username = "USER";
	if (url.password !== "") url.password = "PASSWORD";
	for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, "REMOVED");
	return url.href;
}

function reference(name: string): string {
	const variable = name.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "");
	return `\${${(variable || "VALUE").toUpperCase()}}`;
}
