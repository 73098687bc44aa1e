import { safePattern } from "../../lib/safe-pattern.ts";
import type { Visits } from "./prepare.ts";

/**
 * Says of most arguments that they fit, many times faster than a whole validator. It never says
 * that something does not fit: where it is not sure, the library decides. Made of closures, since
 * schemas come from servers and no code is generated from them.
 */
export type QuickCheck = (value: unknown) => boolean;

/** Keywords that say nothing about whether a value fits. */
const notes: ReadonlySet<string> = new Set(
	"$schema $id $comment title description default examples deprecated readOnly writeOnly format contentEncoding contentMediaType $defs definitions".split(
		" ",
	),
);

type Schema = Readonly<Record<string, unknown>>;
type Rule = (value: unknown) => boolean;

const unsure: Rule = () => false;
const sure: Rule = () => true;

/** Levels of schemas within schemas. */
const depth_max = 64;

/** The quick check of a schema; one that is never sure where the schema is not simple. */
export function quickCheckOf(schema: unknown, visits: Visits): QuickCheck {
	const compiler = new Compiler(schema, visits);
	return compiler.check(schema, 0);
}

class Compiler {
	readonly #root: unknown;
	readonly #visits: Visits;
	readonly #refs = new Map<string, Rule>();

	constructor(root: unknown, visits: Visits) {
		this.#root = root;
		this.#visits = visits;
	}

	check(schema: unknown, depth: number): Rule {
		if (schema === true) return sure;
		if (!isSchema(schema) || depth > depth_max) return unsure;
		const rules: Rule[] = [];
		for (const keyword of Object.keys(schema)) {
			if (notes.has(keyword)) continue;
			const rule = this.#rule(keyword, schema, depth);
			if (rule === undefined) return unsure;
			if (rule !== sure) rules.push(rule);
		}
		const visits = this.#visits;
		const [first, second] = rules;
		if (first === undefined) return sure;
		if (second === undefined) {
			return (value) => {
				visits.count();
				return first(value);
			};
		}
		return (value) => {
			visits.count();
			for (const rule of rules) if (!rule(value)) return false;
			return true;
		};
	}

	/** Undefined for a keyword, or a value of one, that is not simple. */
	#rule(keyword: string, schema: Schema, depth: number): Rule | undefined {
		const said = schema[keyword];
		switch (keyword) {
			case "type":
				return typeRule(said);
			case "enum":
				return Array.isArray(said) && said.every(isPlain) ? among(said) : undefined;
			case "const":
				return isPlain(said) ? (value) => value === said : undefined;
			case "properties":
			case "additionalProperties":
				return this.#members(keyword, schema, depth);
			case "required":
				return requiredRule(said);
			case "items":
				return this.#items(said, schema, depth);
			case "allOf":
				return this.#all(said, depth);
			case "anyOf":
			case "oneOf":
				return keyword === "anyOf" ? this.#any(said, depth) : undefined;
			case "$ref":
				return typeof said === "string" ? this.#ref(said, depth) : undefined;
			default:
				return plainRule(keyword, said);
		}
	}

	/** Both keywords are seen to by the first of them that is met. */
	#members(keyword: string, schema: Schema, depth: number): Rule | undefined {
		const { properties = {}, additionalProperties: others = true } = schema;
		if (schema["patternProperties"] !== undefined || !isSchema(properties)) return undefined;
		if (keyword === "additionalProperties" && schema["properties"] !== undefined) return sure;
		const named = new Map<string, Rule>();
		for (const [name, inner] of Object.entries(properties)) {
			named.set(name, this.check(inner, depth + 1));
		}
		const other = others === false ? unsure : this.check(others, depth + 1);
		return (value) => {
			if (!isObject(value)) return true;
			for (const name of Object.keys(value)) {
				const rule = named.get(name) ?? other;
				if (rule !== sure && !rule(value[name])) return false;
			}
			return true;
		};
	}

	#items(said: unknown, schema: Schema, depth: number): Rule | undefined {
		// A list of schemas is how older dialects write tuples.
		if (Array.isArray(said) || schema["prefixItems"] !== undefined) return undefined;
		const rule = said === false ? unsure : this.check(said, depth + 1);
		return (value) => !Array.isArray(value) || rule === sure || value.every((item) => rule(item));
	}

	#all(said: unknown, depth: number): Rule | undefined {
		if (!Array.isArray(said)) return undefined;
		const rules = said.map((one) => this.check(one, depth + 1));
		return (value) => rules.every((rule) => rule(value));
	}

	#any(said: unknown, depth: number): Rule | undefined {
		if (!Array.isArray(said)) return undefined;
		const rules = said.map((one) => this.check(one, depth + 1));
		return (value) => rules.some((rule) => rule(value));
	}

	/** Only `#/$defs/name` and `#/definitions/name`, which is what generators write. */
	#ref(said: string, depth: number): Rule | undefined {
		const [, where = "", name = ""] =
			/^#\/(\$defs|definitions)\/([A-Za-z0-9_.-]+)$/.exec(said) ?? [];
		const root = this.#root;
		const definitions = isSchema(root) && root["$id"] === undefined ? root[where] : undefined;
		if (!isSchema(definitions) || !Object.hasOwn(definitions, name)) return undefined;
		const known = this.#refs.get(said);
		if (known !== undefined) return known;
		// A schema may refer to itself: the rule exists before it is made.
		let rule: Rule = unsure;
		const later: Rule = (value) => rule(value);
		this.#refs.set(said, later);
		rule = this.check(definitions[name], depth + 1);
		return later;
	}
}

function typeRule(said: unknown): Rule | undefined {
	if (typeof said === "string") return type_rules[said];
	if (!Array.isArray(said)) return undefined;
	const rules = said.map((one) => (typeof one === "string" ? type_rules[one] : undefined));
	if (rules.includes(undefined)) return undefined;
	return (value) => rules.some((rule) => rule?.(value) === true);
}

const type_rules: Readonly<Record<string, Rule>> = {
	__proto__: null as never,
	string: (value) => typeof value === "string",
	number: (value) => typeof value === "number",
	integer: (value) => Number.isInteger(value),
	boolean: (value) => typeof value === "boolean",
	null: (value) => value === null,
	array: (value) => Array.isArray(value),
	object: isObject,
};

function requiredRule(said: unknown): Rule | undefined {
	if (!Array.isArray(said) || !said.every((one) => typeof one === "string")) return undefined;
	return (value) => !isObject(value) || said.every((name) => Object.hasOwn(value, name));
}

function among(values: readonly unknown[]): Rule {
	const known = new Set(values);
	return (value) => known.has(value);
}

/** Keywords that compare one number. */
function plainRule(keyword: string, said: unknown): Rule | undefined {
	if (keyword === "pattern") return patternRule(said);
	if (typeof said !== "number") return undefined;
	switch (keyword) {
		case "minimum":
			return (value) => typeof value !== "number" || value >= said;
		case "maximum":
			return (value) => typeof value !== "number" || value <= said;
		case "exclusiveMinimum":
			return (value) => typeof value !== "number" || value > said;
		case "exclusiveMaximum":
			return (value) => typeof value !== "number" || value < said;
		case "minLength":
			return (value) => typeof value !== "string" || pointsOf(value, said) >= said;
		case "maxLength":
			return (value) => typeof value !== "string" || value.length <= said;
		case "minItems":
			return (value) => !Array.isArray(value) || value.length >= said;
		case "maxItems":
			return (value) => !Array.isArray(value) || value.length <= said;
		default:
			return undefined;
	}
}

/** Characters of a text, or more than `enough` where it is so long that there must be more. */
function pointsOf(text: string, enough: number): number {
	// A character takes at most two units.
	if (text.length >= enough * 2) return text.length / 2;
	let points = 0;
	for (const _ of text) points += 1;
	return points;
}

function patternRule(said: unknown): Rule | undefined {
	const safe = typeof said === "string" ? safePattern(said) : undefined;
	if (safe === undefined) return undefined;
	const { regexp, text_chars_max } = safe;
	return (value) => {
		if (typeof value !== "string") return true;
		return value.length <= text_chars_max && regexp.test(value);
	};
}

function isPlain(value: unknown): boolean {
	return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function isSchema(value: unknown): value is Schema {
	return isObject(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
