import { isAbsolute, resolve as resolvePath } from "node:path";
import type { Environment } from "../lib/environment.ts";
import { ownersIn } from "../secrets/owned-reference.ts";
import { literalTemplate, type Reference, referenceText } from "../secrets/template.ts";

/**
 * References inside a configuration's texts, such as `${env:TOKEN}`. Expanding is one pass:
 * what a reference stands for is never searched for references again, and no problem ever
 * repeats a value.
 */

/** Which references are understood: a client file has more kinds than moorage.yaml. */
export type ReferenceSyntax = "moorage" | "client";

/** What references may stand for. */
export interface ReferenceValues {
	readonly syntax: ReferenceSyntax;
	readonly environment: Environment;
	/** Answers to `${input:ID}`, by id. */
	readonly inputs: ReadonlyMap<string, string>;
	/** Absolute folder of the project the file belongs to. */
	readonly workspace: string;
	/** Absolute home folder of the user. */
	readonly home: string;
}

/** Something noticed while expanding, at an index of the text. */
export interface ReferenceNote {
	readonly kind: "problem" | "warning";
	readonly index: number;
	readonly message: string;
	readonly next: string;
}

/** The text with its references replaced; those that failed are left as they stand. */
export interface Expansion {
	readonly text: string;
	readonly notes: readonly ReferenceNote[];
}

/** A piece of a text: what stands between references, or one reference. */
type Piece =
	| { readonly kind: "literal"; readonly text: string }
	| { readonly kind: "escape"; readonly index: number }
	| { readonly kind: "unclear"; readonly text: string; readonly index: number }
	| {
			readonly kind: "reference";
			readonly body: string;
			readonly raw: string;
			readonly index: number;
	  };

const variable = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)$/;
const variable_with_default = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*):-([^]*)$/;
const bare_variable = /[A-Za-z_][A-Za-z0-9_]*/y;
const other_kind = /^([A-Za-z][A-Za-z0-9_-]*):/;

/** Replaces every reference in `text`. */
export function expandReferences(text: string, values: ReferenceValues): Expansion {
	const expand = (body: string) => resolve(body, values);
	return replaceReferences(text, values.syntax, expand, (literal) => literal);
}

/**
 * The text as a template (`secrets/template.ts`): what a reference stands for is put in when a
 * server starts. Only what is fixed by then, such as the project's folder, is put in now.
 */
export function keepReferences(text: string, values: ReferenceValues): Expansion {
	const keep = (body: string) => keepOne(body, values);
	return replaceReferences(text, values.syntax, keep, literalTemplate);
}

/** What takes the place of one reference, or what is wrong with it. */
type Outcome = string | { readonly message: string; readonly next: string };

function replaceReferences(
	text: string,
	syntax: ReferenceSyntax,
	replace: (body: string) => Outcome,
	asText: (literal: string) => string,
): Expansion {
	const notes: ReferenceNote[] = [];
	let result = "";
	let literal = "";
	for (const piece of split(text, syntax)) {
		if (piece.kind === "literal") literal += piece.text;
		else if (piece.kind === "escape") {
			literal += "$";
			if (syntax === "client") notes.push(escapeNote(piece.index));
		} else if (piece.kind === "unclear") {
			literal += piece.text;
			notes.push(unclearNote(piece.index, syntax));
		} else {
			const outcome = replace(piece.body);
			result += asText(literal);
			literal = "";
			if (typeof outcome === "string") result += outcome;
			else {
				literal += piece.raw;
				notes.push({ kind: "problem", index: piece.index, ...outcome });
			}
		}
	}
	return { text: result + asText(literal), notes };
}

const secret_name = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const vault_place = /^(?!.*(?:^|\/)\.\.?(?:\/|#))[\w.-]+(\/(?:[\w. -]+|@tenant|@user))+#[\w.-]+$/;
/** A variable that each tenant or person has one of. */
const owned_variable = /^(?:env:)?([A-Za-z_]\w*_@(?:tenant(?:_@user)?|user))$/;

function keepOne(body: string, values: ReferenceValues): Outcome {
	if (values.syntax === "client") {
		const fixed = clientVariable(body, values);
		if (fixed !== undefined) return literalTemplate(fixed);
		if (body.startsWith("input:")) {
			const id = body.slice("input:".length);
			const answer = resolveInput(id, values);
			return typeof answer === "string" ? referenceText({ kind: "input", body: id }) : answer;
		}
	}
	const [, kind = "", place = ""] = /^(secret|vault|file):([^]*)$/.exec(body) ?? [];
	if (kind !== "") return keepSecret(kind as "secret", place, values);
	const [, owned] = owned_variable.exec(body) ?? [];
	if (owned !== undefined) return ownedReference({ kind: "env", body: owned });
	const [, name] = variable.exec(body) ?? [];
	if (name !== undefined) {
		if (values.environment[name] === undefined) return unset(name, values.syntax);
		return referenceText({ kind: "env", body: name });
	}
	const [, with_default] = variable_with_default.exec(body) ?? [];
	if (with_default !== undefined && values.environment[with_default] !== undefined) {
		if (values.syntax === "client") return referenceText({ kind: "env", body: with_default });
	}
	const outcome = resolve(body, values);
	return typeof outcome === "string" ? literalTemplate(outcome) : outcome;
}

function keepSecret(
	kind: "secret" | "vault" | "file",
	place: string,
	values: ReferenceValues,
): Outcome {
	if (kind === "secret" && !secret_name.test(place)) {
		return {
			message: "The name in `${secret:…}` is not the name of a secret.",
			next: "Use letters, digits, `.`, `_` and `-`.",
		};
	}
	if (kind === "vault" && !vault_place.test(place)) {
		return {
			message: "`${vault:…}` needs a mount, a path and a field.",
			next: "Write for example `${vault:secret/github#token}`.",
		};
	}
	if (kind === "file" && place.trim() === "") {
		return { message: "`${file:…}` names no file.", next: "Write the path of the file." };
	}
	if (kind !== "file") return ownedReference({ kind, body: place });
	const path = place.startsWith("~/") ? resolvePath(values.home, place.slice(2)) : place;
	const body = isAbsolute(path) ? path : resolvePath(values.workspace, path);
	return ownedReference({ kind, body });
}

/** People of two tenants may have the same id: alone it would be the value of both. */
function ownedReference(reference: Reference): Outcome {
	const owners = ownersIn(reference);
	if (!owners.has("user") || owners.has("tenant")) return referenceText(reference);
	return {
		message: "`@user` without `@tenant` could mean people of two tenants.",
		next: "Put `@tenant` before it, as in `${file:tokens/@tenant/@user}`.",
	};
}

/** The ids of the `${input:ID}` references in a client file's text. */
export function referencedInputs(text: string): string[] {
	const ids: string[] = [];
	for (const piece of split(text, "client")) {
		if (piece.kind === "reference" && piece.body.startsWith("input:")) {
			ids.push(piece.body.slice("input:".length));
		}
	}
	return ids;
}

/** Cuts a text at its references. A `$` that starts none is an ordinary character. */
function* split(text: string, syntax: ReferenceSyntax): Generator<Piece> {
	let literal = 0;
	let at = text.indexOf("$");
	while (at !== -1) {
		const piece = pieceAt(text, at, syntax);
		if (piece === undefined) {
			at = text.indexOf("$", at + 1);
			continue;
		}
		if (at > literal) yield { kind: "literal", text: text.slice(literal, at) };
		yield piece.piece;
		literal = piece.end;
		at = text.indexOf("$", piece.end);
	}
	if (literal < text.length) yield { kind: "literal", text: text.slice(literal) };
}

function pieceAt(
	text: string,
	at: number,
	syntax: ReferenceSyntax,
): { piece: Piece; end: number } | undefined {
	if (text[at + 1] === "$" && startsReference(text, at + 1, syntax)) {
		return { piece: { kind: "escape", index: at }, end: at + 2 };
	}
	if (!startsReference(text, at, syntax)) return undefined;
	if (text[at + 1] === "{") {
		const close = text.indexOf("}", at);
		if (close === -1) return { piece: { kind: "unclear", text: "${", index: at }, end: at + 2 };
		const body = text.slice(at + 2, close);
		const raw = text.slice(at, close + 1);
		const kind = isReference(body, syntax) ? "reference" : "unclear";
		if (kind === "unclear") return { piece: { kind, text: raw, index: at }, end: close + 1 };
		return { piece: { kind, body, raw, index: at }, end: close + 1 };
	}
	bare_variable.lastIndex = at + 1;
	const name = bare_variable.exec(text)?.[0] ?? "";
	const end = at + 1 + name.length;
	return { piece: { kind: "reference", body: `env:${name}`, raw: `$${name}`, index: at }, end };
}

function startsReference(text: string, at: number, syntax: ReferenceSyntax): boolean {
	const next = text[at + 1] ?? "";
	return next === "{" || (syntax === "client" && /[A-Za-z_]/.test(next));
}

function isReference(body: string, syntax: ReferenceSyntax): boolean {
	if (variable.test(body) || variable_with_default.test(body) || other_kind.test(body)) return true;
	return syntax === "client" && body === "/";
}

/** What a reference stands for, or what is wrong with it. */
function resolve(body: string, values: ReferenceValues): Outcome {
	if (values.syntax === "client") {
		const fixed = clientVariable(body, values);
		if (fixed !== undefined) return fixed;
		if (body.startsWith("input:")) return resolveInput(body.slice("input:".length), values);
	}
	const [, name] = variable.exec(body) ?? [];
	if (name !== undefined) return values.environment[name] ?? unset(name, values.syntax);
	const [, with_default, fallback] = variable_with_default.exec(body) ?? [];
	if (with_default !== undefined && fallback !== undefined) {
		return resolveDefault(with_default, fallback, values);
	}
	return refuseKind(body, values.syntax);
}

function clientVariable(body: string, values: ReferenceValues): string | undefined {
	switch (body) {
		case "workspaceFolder":
			return values.workspace;
		case "workspaceFolderBasename":
			return values.workspace.split(/[\\/]/).findLast((part) => part !== "") ?? "";
		case "userHome":
			return values.home;
		case "/":
		case "pathSeparator":
			return values.workspace.includes("\\") ? "\\" : "/";
		default:
			return undefined;
	}
}

function resolveInput(
	id: string,
	values: ReferenceValues,
): string | { message: string; next: string } {
	const answer = values.inputs.get(id);
	if (answer !== undefined) return answer;
	return {
		message: `No answer to the input \`${id}\` is known.`,
		next: "Declare it under `inputs`.",
	};
}

function resolveDefault(
	name: string,
	fallback: string,
	values: ReferenceValues,
): string | { message: string; next: string } {
	if (values.syntax === "moorage") {
		return {
			message: `\`\${${name}:-…}\` is a form of client files; moorage.yaml has no defaults.`,
			next: `Write \`\${env:${name}}\` and set the variable, or write the value itself.`,
		};
	}
	if (fallback.includes("${")) {
		return {
			message: `The default of \`\${${name}:-…}\` holds another reference.`,
			next: "Write a plain default.",
		};
	}
	return values.environment[name] ?? fallback;
}

function unset(name: string, syntax: ReferenceSyntax): { message: string; next: string } {
	const set = `Set it before starting Moorage, for example \`export ${name}=…\``;
	return {
		message: `The environment variable \`${name}\` is not set.`,
		next: syntax === "client" ? `${set}, or write a default: \`\${${name}:-value}\`.` : `${set}.`,
	};
}

function refuseKind(body: string, syntax: ReferenceSyntax): { message: string; next: string } {
	const [, kind = ""] = other_kind.exec(body) ?? [];
	if (kind === "input") {
		return {
			message: "`${input:…}` is a form of client files.",
			next: "Write `${env:NAME}` and set the variable.",
		};
	}
	if (kind === "env") {
		return {
			message: "The name in `${env:…}` is not a variable's name.",
			next: "Use letters, digits and `_`.",
		};
	}
	if (["secret", "vault", "file"].includes(kind)) {
		return {
			message: `A value of \`\${${kind}:…}\` cannot be put in here.`,
			next: "Write it as a value of `env`, `headers`, `args`, `url`, `files` or `auth`.",
		};
	}
	const escape = syntax === "client" ? "" : " For the text itself write `$${`.";
	return {
		message: `There are no references of the kind \`\${${kind}:…}\`.`,
		next: `There are \`\${env:NAME}\`, \`\${secret:NAME}\`, \`\${vault:PATH#FIELD}\` and \`\${file:PATH}\`.${escape}`,
	};
}

function escapeNote(index: number): ReferenceNote {
	return {
		kind: "warning",
		index,
		message: "`$$` before a name or a brace was read as one `$` that starts no reference.",
		next: "",
	};
}

function unclearNote(index: number, syntax: ReferenceSyntax): ReferenceNote {
	return {
		kind: syntax === "client" ? "warning" : "problem",
		index,
		message:
			syntax === "client"
				? "`${` starts no reference Moorage knows and was taken as it stands."
				: "`${` starts no reference Moorage knows.",
		next: syntax === "client" ? "" : "Write `${env:NAME}`, or `$${` for the text itself.",
	};
}
