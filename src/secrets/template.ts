/**
 * Texts of a plan in which references stand for values that are put in as late as possible:
 * `Bearer ${secret:github}`. A plan that holds templates holds no values, so that it can be
 * compared, stored and shown.
 */

/** What a reference can stand for. The last three come from files of other clients. */
export const reference_kinds = [
	"env",
	"secret",
	"vault",
	"file",
	"input",
	"envfile",
	"literal",
] as const;
export type ReferenceKind = (typeof reference_kinds)[number];

/** One reference. */
export interface Reference {
	readonly kind: ReferenceKind;
	/** A name, a path, or a path and a field; see `referenceText`. */
	readonly body: string;
}

/** A piece of a template: text as it is, or a reference. */
export type TemplatePart = string | Reference;

const kind_names: ReadonlySet<string> = new Set(reference_kinds);
const reference = /\$\$\{|\$\{([a-z]+):([^}]*)\}/g;

/** The reference as it stands in a template. A body may hold any text; `}` and `%` are encoded. */
export function referenceText({ kind, body }: Reference): string {
	return `\${${kind}:${body.replace(/[%}]/g, encodeURIComponent)}}`;
}

/** A template that stands for this very text. */
export function literalTemplate(text: string): string {
	return text.replaceAll("${", "$$${");
}

/** The pieces of a template, in their order. What is no reference is text. */
export function templateParts(template: string): TemplatePart[] {
	const parts: TemplatePart[] = [];
	let text = "";
	let at = 0;
	for (const match of template.matchAll(reference)) {
		const [raw, kind, body] = match;
		text += template.slice(at, match.index);
		at = match.index + raw.length;
		if (kind === undefined || body === undefined) text += "${";
		else if (!kind_names.has(kind)) text += raw;
		else {
			if (text !== "") parts.push(text);
			text = "";
			parts.push({ kind: kind as ReferenceKind, body: decoded(body) });
		}
	}
	text += template.slice(at);
	if (text !== "") parts.push(text);
	return parts;
}

/** The references in a template. */
export function referencesIn(template: string): Reference[] {
	if (!template.includes("${")) return [];
	return templateParts(template).filter((part) => typeof part !== "string");
}

function decoded(body: string): string {
	return body.replace(/%25|%7D/g, decodeURIComponent);
}
