import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { fits, measure } from "../../lib/measure.ts";
import { type Dialect, dialectOf } from "./dialect.ts";
import { type Prepared, prepareSchema, TooManyVisits, Visits, type Without } from "./prepare.ts";
import { type QuickCheck, quickCheckOf } from "./quick-check.ts";
import { argument_bounds, schema_bounds, unique_items_max } from "./schema-bounds.ts";

/** How arguments fit a schema. */
export type Fit =
	| { readonly kind: "fits" }
	/** Sentences that say what does not fit, the first few. */
	| { readonly kind: "differs"; readonly problems: readonly string[] }
	/** They are too large, or too intricate, to find out in time. */
	| { readonly kind: "too_large" }
	/** Nobody can tell, because the schema cannot be used; a sentence says why. */
	| { readonly kind: "unusable"; readonly reason: string };

const problems_max = 3;
/** Errors of the library that are looked at. */
const errors_max = 200;
const whole: Without = { patterns: false, unique_items: false };
const its_fit: Fit = Object.freeze({ kind: "fits" });
const too_large: Fit = Object.freeze({ kind: "too_large" });

/**
 * The schema of one tool's arguments, ready to be used. It comes from a server that is not
 * trusted: it is bounded in size, resolves no address but its own, and may take only so long.
 */
export class ToolSchema {
	readonly #schema: object;
	readonly #dialect: Dialect | undefined;
	readonly #unusable: string | undefined;
	readonly #visits = new Visits();
	#quick: QuickCheck | undefined;
	readonly #validators = new Map<string, { validator: Validator; prepared: Prepared }>();

	constructor(schema: unknown) {
		const is_schema = typeof schema === "object" && schema !== null && !Array.isArray(schema);
		this.#schema = is_schema ? schema : {};
		this.#dialect = dialectOf(this.#schema);
		if (!is_schema) this.#unusable = "The tool has no schema.";
		else if (this.#dialect === undefined) this.#unusable = "Its dialect is not known here.";
		else if (!fits(measure(schema), schema_bounds)) this.#unusable = "It is too large.";
	}

	/** Holds arguments against the schema. Never throws. */
	check(value: unknown): Fit {
		if (this.#unusable !== undefined) return { kind: "unusable", reason: this.#unusable };
		this.#visits.reset();
		try {
			this.#quick ??= quickCheckOf(this.#schema, this.#visits);
			if (this.#quick(value)) return its_fit;
			if (!fits(measure(value), argument_bounds)) return too_large;
			this.#visits.reset();
			return this.#checkWhole(value);
		} catch (error) {
			// A schema that refers to itself without end, or arguments nested as deep as it allows.
			if (error instanceof TooManyVisits || error instanceof RangeError) return too_large;
			return { kind: "unusable", reason: "It cannot be read." };
		}
	}

	#checkWhole(value: unknown): Fit {
		let { validator, prepared } = this.#validator(whole);
		const without = {
			patterns: measure(value).chars > prepared.chars_max,
			unique_items: prepared.compares_items && longestList(value) > unique_items_max,
		};
		if (without.patterns || without.unique_items) {
			({ validator, prepared } = this.#validator(without));
		}
		const { valid, errors } = validator.validate(value);
		return valid ? its_fit : { kind: "differs", problems: sentencesOf(errors) };
	}

	#validator(without: Without): { validator: Validator; prepared: Prepared } {
		const key = `${without.patterns} ${without.unique_items}`;
		let found = this.#validators.get(key);
		if (found === undefined) {
			const prepared = prepareSchema(this.#schema, this.#visits, without);
			const validator = new Validator(prepared.schema, this.#dialect, false);
			found = { validator, prepared };
			this.#validators.set(key, found);
		}
		return found;
	}
}

function longestList(value: unknown): number {
	let longest = 0;
	const open: unknown[] = [value];
	while (open.length > 0) {
		const one = open.pop();
		if (typeof one !== "object" || one === null) continue;
		const items: unknown[] = Array.isArray(one) ? one : Object.values(one);
		if (Array.isArray(one)) longest = Math.max(longest, items.length);
		for (const item of items) open.push(item);
	}
	return longest;
}

/** Keywords whose problem is only that something within has one. */
const outer: ReadonlySet<string> = new Set([
	"properties",
	"additionalProperties",
	"unevaluatedProperties",
	"patternProperties",
	"items",
	"prefixItems",
	"additionalItems",
	"unevaluatedItems",
	"$ref",
	"$recursiveRef",
	"allOf",
	"dependentSchemas",
]);

/**
 * The first few problems in words that a model can act on: where, and what. One for each place:
 * the library also says of a member with a problem of its own that it is not one of the known.
 */
function sentencesOf(errors: readonly OutputUnit[]): string[] {
	const places = new Map<string, string>();
	for (const { keyword, instanceLocation, error } of errors.slice(0, errors_max)) {
		if (outer.has(keyword) || places.has(instanceLocation)) continue;
		const is_known = [...places.keys()].some((place) => place.startsWith(`${instanceLocation}/`));
		if (keyword === "false" && is_known) continue;
		const where = placeOf(instanceLocation);
		places.set(
			instanceLocation,
			keyword === "false" ? `${where} is not known.` : `${where}: ${shortened(error)}`,
		);
	}
	const sentences = [...places.values()];
	if (sentences.length === 0) return ["They do not fit."];
	const rest = sentences.length - problems_max;
	const shown = sentences.slice(0, problems_max);
	return rest > 0 ? [...shown, `And ${rest} more.`] : shown;
}

/** `#/items/0/name` as `items[0].name`. */
function placeOf(pointer: string): string {
	const steps = pointer.split("/").slice(1);
	if (steps.length === 0) return "The arguments";
	let text = "";
	for (const step of steps) {
		const name = decodeStep(step);
		if (/^\d+$/.test(name)) text += `[${name}]`;
		else text += text === "" ? name : `.${name}`;
	}
	return `\`${text.slice(0, 100)}\``;
}

function decodeStep(step: string): string {
	return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

function shortened(text: string): string {
	const plain = text.replaceAll("Instance type", "type").replaceAll("Instance", "the value");
	return plain.length > 160 ? `${plain.slice(0, 159)}…` : plain;
}
