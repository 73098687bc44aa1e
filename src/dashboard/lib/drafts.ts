import { ExactNumber, numberOf, parseExact, stringifyExact } from "./exact-json.ts";
import { textOf } from "./format.ts";
import type { Shape } from "./shapes.ts";
import { isObject } from "./tools.ts";

/**
 * What somebody has typed so far, before it is a value: numbers and JSON are still texts, a choice
 * is the number of its option, and what was left out is not there.
 */
export type Draft =
	| undefined
	| string
	| boolean
	| {
			readonly members: Readonly<Record<string, Draft>>;
			/** Members whose names were typed too. */
			readonly rest?: readonly (readonly [name: string, draft: Draft])[];
	  }
	| { readonly items: readonly Draft[] }
	| { readonly option: number; readonly draft: Draft };

/** Mistakes by where they are: `user.age` or `tags.0`. */
export type Mistakes = Readonly<Record<string, string>>;

/** What a form begins with: the value that is given, else what the schema proposes. */
export function draftOf(shape: Shape, value: unknown = shape.about.initial): Draft {
	switch (shape.kind) {
		case "const":
			return undefined;
		case "enum": {
			const at = shape.options.findIndex((one) => same(one, value));
			return at < 0 ? "" : String(at);
		}
		case "boolean":
			return typeof value === "boolean" ? value : undefined;
		case "string":
			return typeof value === "object" ? "" : textOf(value);
		case "number":
		case "integer":
			return isNumber(value) || isNumeric(value) ? String(value) : "";
		case "json":
			return value === undefined ? "" : stringifyExact(value, "  ");
		case "list":
			return { items: Array.isArray(value) ? value.map((one) => draftOf(shape.item, one)) : [] };
		case "union": {
			const fitting = shape.options.findIndex((one) => value !== undefined && fits(one, value));
			const option = Math.max(0, fitting);
			const chosen = shape.options[option];
			return { option, draft: chosen === undefined ? undefined : draftOf(chosen, value) };
		}
		case "object":
			return objectDraft(shape, isObject(value) ? value : {});
	}
}

function objectDraft(
	shape: Extract<Shape, { kind: "object" }>,
	value: Record<string, unknown>,
): Draft {
	if (shape.open) return Object.keys(value).length === 0 ? "" : stringifyExact(value, "  ");
	const members = shape.members.flatMap(({ name, shape: member, required }) => {
		const given = Object.hasOwn(value, name) ? value[name] : member.about.initial;
		if (given === undefined && !required && isNested(member)) return [];
		return [[name, draftOf(member, given)] as const];
	});
	const { rest } = shape;
	if (rest === undefined) return { members: Object.fromEntries(members) };
	const known = new Set(shape.members.map(({ name }) => name));
	const others = Object.entries(value).filter(([name]) => !known.has(name));
	return {
		members: Object.fromEntries(members),
		rest: others.map(([name, one]) => [name, draftOf(rest, one)] as const),
	};
}

/** Optional parts with parts of their own are there only once somebody asks for them. */
export function isNested(shape: Shape): boolean {
	if (shape.kind === "object") return shape.rest === undefined || shape.members.length > 0;
	return shape.kind === "union";
}

/** The value of what was typed, or where it is not one. */
export function readDraft(
	shape: Shape,
	draft: Draft,
): { readonly value: unknown; readonly mistakes: Mistakes } {
	const mistakes: Record<string, string> = {};
	const value = read(shape, draft, [], true, mistakes);
	return { value, mistakes };
}

function read(
	shape: Shape,
	draft: Draft,
	path: readonly (string | number)[],
	required: boolean,
	mistakes: Record<string, string>,
): unknown {
	const wrong = (message: string) => {
		mistakes[path.join(".")] = message;
		return undefined;
	};
	if (shape.kind === "const") return required || draft !== undefined ? shape.value : undefined;
	if (draft === undefined || draft === "") return nothingTyped(shape, required, wrong);
	switch (shape.kind) {
		case "enum":
			return shape.options[Number(draft)];
		case "boolean":
			return draft;
		case "string":
			return checkedText(shape.about.schema, textOf(draft), wrong);
		case "number":
		case "integer":
			return checkedNumber(shape, textOf(draft), wrong);
		case "json":
			return parsed(textOf(draft), wrong);
		case "list":
			if (!required && isEmptyList(draft)) return undefined;
			return readList(shape, draft, path, mistakes, wrong);
		case "union": {
			if (typeof draft !== "object" || !("option" in draft)) return undefined;
			const chosen = shape.options[draft.option];
			if (chosen === undefined) return undefined;
			// Of a word there is nothing more to type than that it was chosen.
			const needed = required || chosen.kind === "const";
			return read(chosen, draft.draft, path, needed, mistakes);
		}
		case "object": {
			if (typeof draft === "string") return parsed(draft, wrong);
			if (typeof draft !== "object" || !("members" in draft)) return undefined;
			return readObject(shape, draft, path, required, mistakes);
		}
	}
}

function readObject(
	shape: Extract<Shape, { kind: "object" }>,
	draft: Extract<Draft, { readonly members: object }>,
	path: readonly (string | number)[],
	required: boolean,
	mistakes: Record<string, string>,
): unknown {
	const entries = shape.members.map(({ name, shape: member, required: needed }) => {
		const found = draft.members[name];
		return [name, read(member, found, [...path, name], needed, mistakes)] as const;
	});
	const { rest } = shape;
	const others = rest === undefined ? [] : (draft.rest ?? []);
	const names = new Set(shape.members.map(({ name }) => name));
	const typed = others.map(([name, one], at) => {
		if (name === "") mistakes[nameKey(path.join("."), at)] = "It needs a name.";
		else if (names.has(name)) mistakes[nameKey(path.join("."), at)] = "This name is there already.";
		names.add(name);
		return [name, read(rest as Shape, one, [...path, name], true, mistakes)] as const;
	});
	const there = [...entries, ...typed].filter(([, value]) => value !== undefined);
	// What is nothing but a map, and has nothing in it, is left out where it may be.
	if (there.length === 0 && !required && shape.members.length === 0) return undefined;
	return Object.fromEntries(there);
}

/** Where a mistake in a typed name is. */
export function nameKey(path: string, at: number): string {
	return `${path}#${at}`;
}

/** A list that nobody has put anything into; one that may be left out is left out then. */
function isEmptyList(draft: Draft): boolean {
	return typeof draft === "object" && "items" in draft && draft.items.length === 0;
}

function nothingTyped(
	shape: Shape,
	required: boolean,
	wrong: (message: string) => undefined,
): unknown {
	if (!required) return undefined;
	if (shape.kind === "boolean") return false;
	if (shape.kind === "list") return [];
	if (shape.kind === "object" && (shape.open || shape.rest !== undefined)) return {};
	const { minLength } = shape.about.schema;
	if (shape.kind === "string" && (typeof minLength !== "number" || minLength === 0)) return "";
	return wrong(shape.kind === "enum" ? "Choose one." : "This is needed.");
}

function readList(
	shape: Extract<Shape, { kind: "list" }>,
	draft: Draft,
	path: readonly (string | number)[],
	mistakes: Record<string, string>,
	wrong: (message: string) => undefined,
): unknown {
	if (typeof draft !== "object" || !("items" in draft)) return undefined;
	const { minItems, maxItems } = shape.about.schema;
	const { items } = draft;
	if (typeof minItems === "number" && items.length < minItems) wrong(`At least ${minItems} items.`);
	if (typeof maxItems === "number" && items.length > maxItems) wrong(`At most ${maxItems} items.`);
	return items.map((item, at) => read(shape.item, item, [...path, at], true, mistakes));
}

function checkedText(
	schema: Readonly<Record<string, unknown>>,
	text: string,
	wrong: (message: string) => undefined,
): unknown {
	const { minLength, maxLength } = schema;
	if (typeof minLength === "number" && text.length < minLength) {
		return wrong(`At least ${minLength} characters.`);
	}
	if (typeof maxLength === "number" && text.length > maxLength) {
		return wrong(`At most ${maxLength} characters.`);
	}
	return text;
}

/** A number with every digit that was typed. */
function checkedNumber(
	shape: Shape,
	typed: string,
	wrong: (message: string) => undefined,
): unknown {
	const text = typed.trim();
	const value = Number(text);
	if (text === "" || !Number.isFinite(value)) return wrong("This is not a number.");
	if (shape.kind === "integer" && !isWhole(text)) return wrong("A whole number is needed.");
	const { minimum, maximum } = shape.about.schema;
	if (isNumber(minimum) && value < Number(minimum)) return wrong(`At least ${minimum}.`);
	if (isNumber(maximum) && value > Number(maximum)) return wrong(`At most ${maximum}.`);
	return numberOf(text) ?? value;
}

/** Told from the digits: a large number with a fraction is whole to the browser. */
function isWhole(text: string): boolean {
	if (/^[+-]?\d+(\.0*)?$/.test(text)) return true;
	return !/^[+-]?\d*\.\d+$/.test(text) && Number.isInteger(Number(text));
}

/** Whether a value is a number, of the browser's or as it was written. */
function isNumber(value: unknown): value is number | ExactNumber {
	return typeof value === "number" || value instanceof ExactNumber;
}

/** A number that is given as a text, so that it keeps its digits. */
function isNumeric(value: unknown): value is string {
	return typeof value === "string" && numberOf(value) !== undefined;
}

function parsed(text: string, wrong: (message: string) => undefined): unknown {
	try {
		return parseExact(text);
	} catch {
		return wrong("This is not JSON. A text needs quotes around it.");
	}
}

function fits(shape: Shape, value: unknown): boolean {
	switch (shape.kind) {
		case "const":
			return same(shape.value, value);
		case "enum":
			return shape.options.some((one) => same(one, value));
		case "object":
			return (
				isObject(value) &&
				shape.members.every(({ name, shape: member, required }) =>
					Object.hasOwn(value, name) ? fits(member, value[name]) : !required,
				) &&
				(shape.about.schema["additionalProperties"] !== false ||
					Object.keys(value).every((name) => shape.members.some((one) => one.name === name)))
			);
		case "list":
			return Array.isArray(value);
		case "integer":
			return isNumber(value) && isWhole(String(value));
		case "number":
			return isNumber(value);
		case "json":
			return true;
		case "union":
			return shape.options.some((one) => fits(one, value));
		default:
			return typeof value === shape.kind;
	}
}

function same(a: unknown, b: unknown): boolean {
	if (a === undefined || b === undefined) return a === b;
	return stringifyExact(a) === stringifyExact(b);
}
