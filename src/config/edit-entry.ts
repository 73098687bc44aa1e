import { applyEdits, type Edit, getLocation, modify } from "jsonc-parser";
import {
	type Document,
	isAlias,
	isCollection,
	isMap,
	isScalar,
	type ParsedNode,
	parseDocument,
	type ScalarTag,
	type Tags,
	visit,
} from "yaml";
import { fail, type Result, succeed } from "../lib/result.ts";
import { parseGood } from "./edit-json.ts";
import { printYaml } from "./edit-yaml.ts";
import { syntaxOf } from "./find.ts";
import { canonicalJson } from "./fingerprint.ts";

/** A server's entry in a configuration file: an object of whatever stands there. */
export type ServerEntry = Readonly<Record<string, unknown>>;

/** Why an entry cannot be changed but as text: a sentence, and what to do. */
export interface EntryProblem {
	readonly kind: "absent" | "unreadable";
	readonly message: string;
	readonly next: string;
}

type Path = readonly (string | number)[];

/** Where files of all forms keep their servers. */
const containers: readonly Path[] = [["servers"], ["mcpServers"], ["mcp", "servers"]];

const by_hand = "Change it in the text of the file.";

/**
 * Why a form cannot change an entry, before anybody has typed: a sentence, and what to do.
 * Undefined: as far as one can tell it can.
 */
export function formProblem(path: string, text: string, title: string): EntryProblem | undefined {
	const place = placeOf(rootOf(path, text), title);
	if (place === undefined || syntaxOf(path) !== "yaml" || !isShared(text, place)) return undefined;
	return shared(title);
}

/**
 * The entry under a server's own name in a file of any form. Numbers with more digits than a number
 * here can hold are given as texts, as they are written.
 */
export function readEntry(
	path: string,
	text: string,
	title: string,
): Result<ServerEntry, EntryProblem> {
	const root = rootOf(path, text);
	if (root === undefined) return fail(unreadable("The file cannot be read as it is now."));
	const place = placeOf(root, title);
	const entry = place === undefined ? undefined : valueAt(root, place);
	if (!isObject(entry)) {
		const message = `The file has no entry \`${title}\`.`;
		return fail({ kind: "absent", message, next: "See which servers stand in it." });
	}
	return succeed(entry);
}

/**
 * The text with another entry of a server. Only what differs is changed: comments, the order of
 * members and everything else stay. Refuses what it could not read back as it was meant.
 */
export function editEntry(
	path: string,
	text: string,
	title: string,
	entry: ServerEntry,
): Result<string, EntryProblem> {
	const before = readEntry(path, text, title);
	if (!before.ok) return before;
	const place = placeOf(rootOf(path, text), title) as Path;
	const changes = changesOf(before.value, entry, []);
	if (changes.length === 0) return succeed(text);
	const is_yaml = syntaxOf(path) === "yaml";
	if (is_yaml && isShared(text, place)) {
		return fail(shared(title));
	}
	const edited = is_yaml
		? changes.reduce((current, change) => editYaml(current, place, change), text)
		: editJson(text, place, changes);
	const after = rootOf(path, edited);
	const wanted = changes.reduce(
		(root, { path: at, value }) => withValue(root, [...place, ...at], value),
		rootOf(path, text),
	);
	if (after !== undefined && canonicalJson(after) === canonicalJson(wanted)) return succeed(edited);
	return fail(unreadable(`The entry \`${title}\` is written in a way that a form cannot change.`));
}

/**
 * The member of a server's entry that stands at a place of the text: `limits.memory`. Undefined
 * where the place belongs to none.
 * @param line from 1
 * @param column from 1
 */
export function fieldAt(
	path: string,
	text: string,
	title: string,
	{ line, column }: { readonly line: number; readonly column: number },
): string | undefined {
	const start = offsetOf(text, line) + column - 1;
	const found = syntaxOf(path) === "yaml" ? yamlPath(text, start) : getLocation(text, start).path;
	const place = placeOf(rootOf(path, text), title);
	if (place === undefined || !place.every((key, at) => found[at] === key)) return undefined;
	const field = found.slice(place.length);
	return field.length === 0 ? undefined : field.join(".");
}

function isWord(value: unknown): value is number | boolean {
	return typeof value === "number" || typeof value === "boolean";
}

interface Change {
	readonly path: Path;
	/** Undefined: it is taken out. */
	readonly value: unknown;
}

function changesOf(before: unknown, after: unknown, path: Path): Change[] {
	if (after !== undefined && before !== undefined) {
		if (canonicalJson(before) === canonicalJson(after)) return [];
		// A form has numbers and switches as texts, which mean the same.
		if (isWord(before) && String(before) === after) return [];
		if (isObject(before) && isObject(after) && Object.keys(after).length > 0) {
			const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
			return names.flatMap((name) => changesOf(before[name], after[name], [...path, name]));
		}
		if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
			return after.flatMap((value, at) => changesOf(before[at], value, [...path, at]));
		}
	}
	return [{ path, value: after }];
}

/** Numbers that nobody changes are printed as they were typed, to the last digit. */
const as_typed: Tags | ((tags: Tags) => Tags) = (tags) =>
	tags.map((tag) => {
		if (typeof tag === "string" || !/:(?:int|float)$/.test(tag.tag) || "collection" in tag)
			return tag;
		const scalar = tag;
		const stringify: ScalarTag["stringify"] = (item, ...around) =>
			item.source ?? scalar.stringify?.(item, ...around) ?? String(item.value);
		return { ...scalar, stringify };
	});

function editYaml(text: string, place: Path, { path, value }: Change): string {
	const document = parseDocument(text, { prettyErrors: false, customTags: as_typed });
	const at = [...place, ...path];
	const node = document.getIn(at, true);
	if (value === undefined) document.deleteIn(at);
	// A comment belongs to the node, so the node stays where it can.
	else if (isScalar(node) && (typeof value !== "object" || value === null)) {
		node.value = value;
		delete node.source;
		delete node.format;
	} else document.setIn(at, document.createNode(value));
	const printed = printYaml(text, document);
	for (let length = at.length - 1; length >= place.length; length -= 1) {
		const part = spliced(text, printed, at.slice(0, length));
		if (part !== undefined) return part;
	}
	return printed;
}

/** The text with one part of another: everything else stays as it was typed. */
function spliced(text: string, printed: string, place: Path): string | undefined {
	const [from, to] = [entryRange(text, place), entryRange(printed, place)];
	if (from === undefined || to === undefined) return undefined;
	const joined = text.slice(0, from[0]) + printed.slice(to[0], to[1]) + text.slice(from[1]);
	const [whole, expected] = [rootOf("x.yaml", joined), rootOf("x.yaml", printed)];
	if (whole === undefined || expected === undefined) return undefined;
	const comments = (one: string) => one.match(/(^|\s)#.*$/gm)?.length ?? 0;
	const same = canonicalJson(whole) === canonicalJson(expected);
	return same && comments(joined) === comments(printed) ? joined : undefined;
}

function entryRange(text: string, place: Path): [number, number] | undefined {
	const node = parseDocument(text, { prettyErrors: false }).getIn(place, true);
	if (!isCollection(node) || !node.range) return undefined;
	return [node.range[0], node.range[2]];
}

function editJson(text: string, place: Path, changes: readonly Change[]): string {
	const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ";
	const formattingOptions = {
		insertSpaces: !indent.includes("\t"),
		tabSize: indent.includes("\t") ? 1 : indent.length,
		eol: text.includes("\r\n") ? "\r\n" : "\n",
	};
	return changes.reduce((edited, { path, value }) => {
		const edits: Edit[] = modify(edited, [...place, ...path], value, { formattingOptions });
		return applyEdits(edited, edits);
	}, text);
}

/** Whether an entry has anchors, or stands for what another entry has. */
function isShared(text: string, place: Path): boolean {
	const node = parseDocument(text, { prettyErrors: false }).getIn(place, true);
	if (!isMap(node)) return true;
	let shared = false;
	visit(node, (key, one) => {
		shared ||= isAlias(one) || (isScalar(one) && key === "key" && one.value === "<<");
		shared ||= (isScalar(one) || isCollection(one)) && one.anchor !== undefined;
	});
	return shared;
}

function rootOf(path: string, text: string): unknown {
	if (syntaxOf(path) !== "yaml") {
		const node = parseGood(text);
		return node === undefined ? undefined : plainJson(node, text);
	}
	const document: Document.Parsed = parseDocument(text, { prettyErrors: false });
	visit(document, {
		Scalar(_key, node) {
			if (typeof node.value === "number") node.value = exactly(node.value, node.source);
		},
	});
	return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
}

/** A number, or its text where the number has lost some of its digits. */
function exactly(value: number, source: string | undefined): number | string {
	const [, sign = "", whole, fraction = ""] = /^([-+]?)(\d+)(?:\.(\d*))?$/.exec(source ?? "") ?? [];
	if (source === undefined || whole === undefined) return value;
	const tail = fraction.replace(/0+$/, "");
	const head = whole.replace(/^0+(?=\d)/, "");
	const kept = String(Math.abs(value)) === (tail === "" ? head : `${head}.${tail}`);
	return kept || sign === "+" ? value : source;
}

function plainJson(node: NonNullable<ReturnType<typeof parseGood>>, text: string): unknown {
	const { children = [] } = node;
	if (node.type === "array") return children.map((one) => plainJson(one, text));
	if (node.type === "number") {
		return exactly(Number(node.value), text.slice(node.offset, node.offset + node.length));
	}
	if (node.type !== "object") return node.value as unknown;
	const members = children.flatMap(({ children: [key, value] = [] }) =>
		value === undefined ? [] : [[String(key?.value), plainJson(value, text)] as const],
	);
	return Object.fromEntries(members);
}

function yamlPath(text: string, offset: number): Path {
	const document = parseDocument(text, { prettyErrors: false });
	const path: (string | number)[] = [];
	let node: ParsedNode | null | undefined = document.contents;
	while (isCollection(node)) {
		const items: readonly unknown[] = node.items;
		let inner: { key: string | number; node: ParsedNode | null } | undefined;
		for (const [at, item] of items.entries()) {
			const pair = isMap(node)
				? (item as { key: ParsedNode; value: ParsedNode | null })
				: undefined;
			const begin = pair === undefined ? (item as ParsedNode) : pair.key;
			// What begins last before the place is what the place is in.
			if ((begin.range?.[0] ?? Infinity) > offset) break;
			inner =
				pair === undefined
					? { key: at, node: item as ParsedNode }
					: {
							key: isScalar(pair.key) ? String(pair.key.value) : String(pair.key),
							node: pair.value,
						};
		}
		if (inner === undefined) break;
		path.push(inner.key);
		node = inner.node;
	}
	return path;
}

function offsetOf(text: string, line: number): number {
	let offset = 0;
	for (let at = 1; at < line; at += 1) {
		const end = text.indexOf("\n", offset);
		if (end < 0) return text.length;
		offset = end + 1;
	}
	return offset;
}

function placeOf(root: unknown, title: string): Path | undefined {
	return containers
		.map((container) => [...container, title])
		.find((place) => valueAt(root, place) !== undefined);
}

function valueAt(root: unknown, path: Path): unknown {
	return path.reduce<unknown>(
		(value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
		root,
	);
}

function withValue(root: unknown, [key, ...rest]: Path, value: unknown): unknown {
	if (key === undefined) return value;
	if (Array.isArray(root)) return root.with(Number(key), withValue(root[Number(key)], rest, value));
	const { [key]: before, ...others } = isObject(root) ? root : {};
	if (rest.length === 0 && value === undefined) return others;
	return { ...others, [key]: withValue(before, rest, value) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shared(title: string): EntryProblem {
	const parts = "anchors, aliases or merge keys";
	return unreadable(`The entry \`${title}\` shares parts with others (${parts}).`);
}

function unreadable(message: string): EntryProblem {
	return { kind: "unreadable", message, next: by_hand };
}
