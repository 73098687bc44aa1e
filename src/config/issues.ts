import type * as z from "zod";
import { type Located, type LocatedMap, member, nodeAt, offsetOf } from "./located.ts";
import { nearestName } from "./nearest.ts";
import { levelOf, notYet } from "./not-yet.ts";
import type { Report } from "./report.ts";

/** Turns the schema's findings into sentences with a place in the file. */

type Issue = z.core.$ZodIssue;

/** An issue with the words that would do as well, such as `off`. */
type Narrowed = Issue & { readonly words?: readonly string[] };

/** Reports every issue of a failed check. `known` lists the keys possible at a path. */
export function reportIssues(
	report: Report,
	root: Located,
	issues: readonly Issue[],
	known: (path: readonly PropertyKey[]) => readonly string[],
): void {
	for (const issue of issues.flatMap((one) => narrowUnions(root, one))) {
		if (issue.code === "unrecognized_keys") {
			for (const key of issue.keys) reportUnknownKey(report, root, issue.path, key, known);
			continue;
		}
		const { message, next } = sentences(issue, nodeAt(root, issue.path));
		report.problem(offsetOf(root, issue.path), `${pathText(issue.path)} ${message}`, next);
	}
}

/** A path as people write it: `servers.time.args[2]`, in backticks. */
export function pathText(path: readonly PropertyKey[]): string {
	if (path.length === 0) return "The file";
	let text = "";
	for (const step of path) {
		if (typeof step === "number") text += `[${step}]`;
		else text += text === "" ? String(step) : `.${String(step)}`;
	}
	return `\`${text}\``;
}

/** A union whose meant form is wrong within is wrong in every place that form is wrong in. */
function narrowUnions(root: Located, issue: Issue): Narrowed[] {
	if (issue.code !== "invalid_union") return [issue];
	const meant = issue.errors.find(([first]) => first !== undefined && first.path.length > 0);
	if (meant === undefined) return [narrowUnion(root, issue)];
	const absolute = (one: Issue) => ({ ...one, path: [...issue.path, ...one.path] }) as Issue;
	return meant.map(absolute).flatMap((one) => narrowUnions(root, one));
}

/**
 * A union that fails lists what each of its forms found wrong. The form the user meant is the
 * one whose outermost type fits; where none fits, all the types are named together, and the words
 * that would do.
 */
function narrowUnion(root: Located, issue: Issue): Narrowed {
	if (issue.code !== "invalid_union") return issue;
	const wrong_types: string[] = [];
	const words = issue.errors.flatMap(([first]) => wordsOf(first));
	let wrong_word: Issue | undefined;
	for (const branch of issue.errors) {
		const first = branch[0];
		if (first === undefined) continue;
		const absolute = { ...first, path: [...issue.path, ...first.path] } as Issue;
		if (first.code === "invalid_union") {
			const inner = narrowUnion(root, absolute);
			if (inner.code !== "invalid_type") return inner;
			wrong_types.push(inner.expected);
		} else if (text_kinds[first.message] !== undefined) return { ...absolute, words };
		else if (isFraction(first)) return absolute;
		else if (first.code === "invalid_type") wrong_types.push(first.expected);
		else if (first.code === "invalid_value") wrong_word ??= absolute;
		else return absolute;
	}
	if (wrong_word !== undefined && (wrong_types.length === 0 || isWord(root, issue, wrong_types))) {
		return wrong_word;
	}
	return {
		code: "invalid_type",
		expected: [...wrong_types, ...words].join("|") as "string",
		path: issue.path,
		message: "",
	};
}

function wordsOf(issue: Issue | undefined): string[] {
	return issue?.code === "invalid_value" ? issue.values.map((value) => `\`${String(value)}\``) : [];
}

/** Whether one of the words was meant: a word stands there, and no other form is a single value. */
function isWord(root: Located, issue: Issue, types: readonly string[]): boolean {
	const node = nodeAt(root, issue.path);
	const is_text = node?.kind === "scalar" && typeof node.value === "string";
	return is_text && types.every((type) => ["array", "object", "record"].includes(type));
}

/** Whether a number was meant, and is one, but not a whole one. */
function isFraction(issue: Issue): boolean {
	return issue.code === "invalid_type" && issue.expected === "int";
}

const type_words: Readonly<Record<string, string>> = {
	string: "text",
	number: "a number",
	int: "a whole number",
	boolean: "true or false",
	array: "a list",
	object: "a map",
	record: "a map",
	null: "null",
};

function sentences(issue: Narrowed, node: Located | undefined): { message: string; next: string } {
	const marked = text_kinds[issue.message];
	if (marked !== undefined) {
		const or = (issue.words ?? []).map((word) => `; or ${word}`).join("");
		return { ...marked, next: `${marked.next.slice(0, -1)}${or}.` };
	}
	switch (issue.code) {
		case "invalid_type": {
			if (node === undefined) {
				return { message: "is missing.", next: `Add ${typeWords(issue.expected)}.` };
			}
			return {
				message: `must be ${typeWords(issue.expected)}, not ${foundWords(node)}.`,
				next: adviceFor(issue.expected, node),
			};
		}
		case "invalid_value": {
			const values = wordsOf(issue).join(", ");
			const only = issue.values.length === 1;
			return {
				message: only ? `must be ${values}.` : `must be one of ${values}.`,
				next: only ? `Write ${values}.` : "Write one of these.",
			};
		}
		case "too_small": {
			if (issue.origin === "string") {
				return { message: "is empty.", next: "Write a value or remove it." };
			}
			if (issue.origin === "array") return { message: "is empty.", next: "List at least one." };
			const least = issue.inclusive === false ? "more than" : "at least";
			return { message: `must be ${least} ${issue.minimum}.`, next: "Write a larger number." };
		}
		case "too_big": {
			const most = issue.maximum;
			if (issue.origin === "string") {
				return { message: `is longer than ${most} characters.`, next: "Shorten it." };
			}
			if (issue.origin === "array") {
				return { message: `has more than ${most} entries.`, next: "Remove some." };
			}
			return { message: `must be at most ${most}.`, next: "Write a smaller number." };
		}
		default: {
			return { message: "is not valid.", next: "See docs/configuration.md for its form." };
		}
	}
}

/** Kinds of text the schema marks by the message of its check. */
const text_kinds: Readonly<Record<string, { message: string; next: string }>> = {
	duration: {
		message: "is not a duration.",
		next: "Write a number and a unit: `500ms`, `30s`, `5m` or `1h`.",
	},
	size: {
		message: "is not a size.",
		next: "Write a number and a unit: `64KiB`, `4MiB` or `1GiB`.",
	},
	percent: {
		message: "is not a share.",
		next: "Write a percentage: `10%`, `0.5%` or `100%`.",
	},
	"key-hash": {
		message: "is not the hash of a key.",
		next: "Make a key with `moorage key new` and take over the line it prints.",
	},
	word: {
		message: "is not a role or a scope.",
		next: "Use visible characters without spaces, quotes and backslashes, at most 128.",
	},
	fingerprint: {
		message: "is not the SHA-256 fingerprint of a certificate.",
		next: "Take over what `openssl x509 -noout -fingerprint -sha256 -in FILE` prints.",
	},
	principal: {
		message: "has other characters than a tenant or user may have.",
		next: "Use letters, digits and `._@+-`, at most 64, and start with a letter or a digit.",
	},
	rate: {
		message: "is not a number of calls in a time.",
		next: "Write for example `60/m`, `10/s` or `100/15m`.",
	},
	date: {
		message: "is not a day.",
		next: "Write for example `2027-01-31`, or `2027-01-31T12:00:00Z`.",
	},
};

function typeWords(expected: string): string {
	const words = [...new Set(expected.split("|").map((type) => type_words[type] ?? type))];
	const last = words.pop() ?? "";
	if (words.length === 0) return last;
	return words.length === 1 ? `${words[0]} or ${last}` : `${words.join(", ")}, or ${last}`;
}

function foundWords(node: Located): string {
	if (node.kind !== "scalar") return node.kind === "map" ? "a map" : "a list";
	if (node.value === null) return node.text === "" ? "empty" : `\`${node.text}\``;
	if (typeof node.value === "boolean") return "true or false";
	if (typeof node.value === "string") return "text";
	return Number.isInteger(node.value) ? "a number" : "a fraction";
}

function adviceFor(expected: string, node: Located): string {
	if (node.kind === "scalar" && node.value === null) {
		return expected.includes("string")
			? 'Write a value, or `""` for empty text.'
			: "Write a value.";
	}
	const types = expected.split("|");
	if (types.includes("string") && node.kind === "scalar") return "Put it in double quotes.";
	if (types.includes("array") && node.kind === "scalar") return "Write it as `[value, …]`.";
	return `Write it as ${typeWords(expected)}.`;
}

function reportUnknownKey(
	report: Report,
	root: Located,
	path: readonly PropertyKey[],
	key: string,
	known: (path: readonly PropertyKey[]) => readonly string[],
): void {
	const parent = nodeAt(root, path) as LocatedMap;
	const entry = member(parent, key);
	const start = entry?.key_start ?? parent.start;
	const shown = pathText([...path, key]);
	const level = levelOf(path);
	const instead = notYet(level, key);
	if (instead !== undefined) {
		report.problem(start, `This version of Moorage does not have ${shown} yet.`, instead);
		return;
	}
	if (level === "tools" && entry?.value.kind === "map") {
		report.problem(
			start,
			`What holds for a single tool cannot be said here (${shown}).`,
			"Write it under `tools` of its server.",
		);
		return;
	}
	const names = known(path);
	const near = key === "mcpServers" ? "servers" : nearestName(key, names);
	const next =
		near === undefined
			? `Remove it; possible here: ${names.map((name) => `\`${name}\``).join(", ")}.`
			: `Did you mean \`${near}\`?`;
	report.problem(start, `${shown} is not a key of moorage.yaml.`, next);
}
