import { parseEnv } from "node:util";
import { type Node as JsonNode, type ParseError, parseTree } from "jsonc-parser";
import { isMap, isScalar, isSeq, parseDocument, type Node as YamlNode } from "yaml";
import { looksSecret } from "../secrets/looks-secret.ts";
import { syntaxOf } from "./find.ts";
import { isSecretText, referenceTo, secretName, type TextPlace } from "./literal-secrets.ts";

/** A secret that stands in a file in plain text. */
export interface FoundSecret {
	readonly place: TextPlace;
	/** The name it would be stored under. */
	readonly name: string;
	/** The secret alone: without `Bearer`, and without the option before it. */
	readonly value: string;
	/** The text as it stands in the file. */
	readonly text: string;
	/** Where the text stands, its quotes included. */
	readonly start: number;
	readonly end: number;
}

interface Scalar {
	readonly path: readonly (string | number)[];
	readonly text: string;
	readonly start: number;
	readonly end: number;
}

const containers: readonly (readonly string[])[] = [
	["mcpServers"],
	["servers"],
	["mcp", "servers"],
];

/** Every secret in the servers of a configuration; undefined where the file cannot be parsed. */
export function findSecrets(path: string, text: string): FoundSecret[] | undefined {
	const scalars = syntaxOf(path) === "yaml" ? yamlScalars(text) : jsonScalars(text);
	if (scalars === undefined) return undefined;
	const by_path = new Map(scalars.map((one) => [JSON.stringify(one.path), one.text]));
	return scalars.flatMap((scalar) => {
		const place = placeOf(scalar.path, by_path);
		if (place === undefined || scalar.text.includes("${")) return [];
		if (!isSecretText(scalar.text, place)) return [];
		const { text, start, end } = scalar;
		return [{ place, name: secretName(place), value: secretPart(text, place), text, start, end }];
	});
}

/** The variables of an `.env` file that look like secrets. */
export function findEnvSecrets(text: string): { readonly name: string; readonly value: string }[] {
	return Object.entries(parseEnv(text)).flatMap(([name, value]) =>
		value !== undefined && looksSecret(value, name) ? [{ name: name.toLowerCase(), value }] : [],
	);
}

/** The file with a reference in the place of each secret, which is stored under `names`. */
export function moveSecrets(
	text: string,
	found: readonly FoundSecret[],
	names: ReadonlyMap<FoundSecret, string>,
): string {
	let moved = text;
	for (const secret of found.toSorted((a, b) => b.start - a.start)) {
		const name = names.get(secret);
		if (name === undefined) continue;
		// A text in quotes is the same in JSON and in YAML.
		const reference = JSON.stringify(referenceTo(name, secret.text, secret.place));
		moved = moved.slice(0, secret.start) + reference + moved.slice(secret.end);
	}
	return moved;
}

function placeOf(
	path: readonly (string | number)[],
	texts: ReadonlyMap<string, string>,
): TextPlace | undefined {
	const container = containers.find((keys) => keys.every((key, index) => path[index] === key));
	if (container === undefined) return undefined;
	const [server, part, name = ""] = path.slice(container.length);
	if (typeof server !== "string" || typeof part !== "string") return undefined;
	switch (part) {
		case "env":
		case "headers":
		case "files":
			return { server, part, name: String(name) };
		case "url":
		case "serverUrl":
		case "httpUrl":
			return { server, part: "url", name: "" };
		case "oauth":
			return { server, part: "auth", name: String(path.at(-1)) };
		case "args":
			return { server, part, name: optionBefore(path, texts) };
		default:
			return undefined;
	}
}

/** The option whose value an argument is. */
function optionBefore(
	path: readonly (string | number)[],
	texts: ReadonlyMap<string, string>,
): string {
	const index = Number(path.at(-1));
	const before = texts.get(JSON.stringify([...path.slice(0, -1), index - 1])) ?? "";
	return /^--?[\w-]+$/.test(before) ? before : "";
}

function secretPart(text: string, place: TextPlace): string {
	const [, credentials] = /^\s*(?:bearer|basic|token) +(\S+)\s*$/i.exec(text) ?? [];
	if (credentials !== undefined) return credentials;
	const [, value] = /^--?[\w-]+=(.*)$/s.exec(text) ?? [];
	return place.part === "args" && value !== undefined ? value : text;
}

function jsonScalars(text: string): Scalar[] | undefined {
	const errors: ParseError[] = [];
	const root = parseTree(text, errors, { allowTrailingComma: true });
	if (root === undefined || errors.length > 0) return undefined;
	const found: Scalar[] = [];
	const visit = (node: JsonNode, path: readonly (string | number)[]): void => {
		if (node.type === "object") {
			for (const property of node.children ?? []) {
				const [key, value] = property.children ?? [];
				if (value !== undefined) visit(value, [...path, String(key?.value)]);
			}
		} else if (node.type === "array") {
			for (const [index, item] of (node.children ?? []).entries()) visit(item, [...path, index]);
		} else if (node.type === "string") {
			const { offset: start, length } = node;
			found.push({ path, text: String(node.value), start, end: start + length });
		}
	};
	visit(root, []);
	return found;
}

function yamlScalars(text: string): Scalar[] | undefined {
	const document = parseDocument(text);
	if (document.errors.length > 0) return undefined;
	const found: Scalar[] = [];
	const visit = (node: YamlNode | null, path: readonly (string | number)[]): void => {
		if (isMap(node)) {
			for (const { key, value } of node.items) {
				visit(value as YamlNode | null, [...path, String(isScalar(key) ? key.value : key)]);
			}
		} else if (isSeq(node)) {
			for (const [index, item] of node.items.entries()) {
				visit(item as YamlNode | null, [...path, index]);
			}
		} else if (isScalar(node) && node.range && /string|number/.test(typeof node.value)) {
			const [start, end] = node.range;
			found.push({ path, text: node.source ?? String(node.value), start, end });
		}
	};
	visit(document.contents, []);
	return found;
}
