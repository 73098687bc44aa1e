import { nearestName } from "../config/nearest.ts";
import { fail, type Result, succeed } from "../lib/result.ts";

/** A JSON Schema as it came; nothing in it is trusted to have a certain shape. */
type Schema = Readonly<Record<string, unknown>>;

const schema_depth_max = 8;

/**
 * The JSON object for `name=value` and `name:=json` words. A plain value gets the type that the
 * tool's inputSchema gives it; where it allows text, it is text. Numbers and JSON go on as they
 * were written, so no digit is lost. A problem is a sentence.
 */
export function toolArguments(
	words: readonly string[],
	input_schema: unknown,
): Result<string, string> {
	const root = asSchema(input_schema) ?? {};
	const properties = asSchema(root["properties"]) ?? {};
	const raw = new Map<string, string>();
	const lists = new Map<string, string[]>();
	for (const word of words) {
		const split = splitWord(word);
		if (split === undefined) {
			return fail(`"${word}" is not an argument: write name=value, or name:=json.`);
		}
		const { name, text, is_json } = split;
		const closed = root["additionalProperties"] === false;
		if (closed && !Object.hasOwn(properties, name)) return fail(unknownArgument(name, properties));
		const schema = resolveSchema(properties[name], root);
		const as_list = !is_json && isList(schema) && !text.trimStart().startsWith("[");
		if (!as_list && (raw.has(name) || lists.has(name))) return fail(`"${name}" is given twice.`);
		const value = is_json
			? readJson(name, text)
			: readValue(name, text, as_list ? resolveSchema(schema?.["items"], root) : schema, root);
		if (!value.ok) return value;
		if (as_list) lists.set(name, [...(lists.get(name) ?? []), value.value]);
		else raw.set(name, value.value);
	}
	for (const [name, items] of lists) raw.set(name, `[${items.join(",")}]`);
	const required = Array.isArray(root["required"]) ? root["required"] : [];
	const missing = required.filter((name) => typeof name === "string" && !raw.has(name));
	if (missing.length > 0) return fail(`Missing: ${missing.join(", ")}.`);
	const members = [...raw].map(([name, value]) => `${JSON.stringify(name)}:${value}`);
	return succeed(`{${members.join(",")}}`);
}

/** The arguments of a tool, one line each: name, type, whether it must be given. */
export function describeArguments(input_schema: unknown): string[] {
	const root = asSchema(input_schema) ?? {};
	const required = Array.isArray(root["required"]) ? root["required"] : [];
	return Object.entries(asSchema(root["properties"]) ?? {}).map(([name, property]) => {
		const types = [...typesOf(resolveSchema(property, root), root)].join(" or ") || "any";
		return `${name}: ${types}${required.includes(name) ? ", required" : ""}`;
	});
}

interface Word {
	readonly name: string;
	readonly text: string;
	readonly is_json: boolean;
}

function splitWord(word: string): Word | undefined {
	const equals = word.indexOf("=");
	if (equals <= 0) return undefined;
	const is_json = word[equals - 1] === ":";
	const name = word.slice(0, is_json ? equals - 1 : equals);
	return name === "" ? undefined : { name, text: word.slice(equals + 1), is_json };
}

function readJson(name: string, text: string): Result<string, string> {
	if (parse(text) === undefined) return fail(`"${name}" is not valid JSON: ${shown(text)}.`);
	return succeed(text.trim());
}

function readValue(
	name: string,
	text: string,
	schema: Schema | undefined,
	root: Schema,
): Result<string, string> {
	const types = typesOf(schema, root);
	if (types.has("string")) return succeed(JSON.stringify(text));
	const parsed = parse(text);
	if (parsed !== undefined && (types.size === 0 || isOneOf(parsed.value, types))) {
		return succeed(text.trim());
	}
	if (types.size === 0) return succeed(JSON.stringify(text));
	return fail(`"${name}" must be ${[...types].map(withArticle).join(" or ")}, not ${shown(text)}.`);
}

/** Types a schema allows, read from `type`, `enum`, `const` and alternatives; empty is any. */
function typesOf(schema: Schema | undefined, root: Schema, depth = 0): Set<string> {
	if (schema === undefined || depth > schema_depth_max) return new Set();
	const { type } = schema;
	if (typeof type === "string") return new Set([type]);
	if (Array.isArray(type)) return new Set(type.filter((one) => typeof one === "string"));
	const values = "const" in schema ? [schema["const"]] : schema["enum"];
	if (Array.isArray(values)) return new Set(values.map(typeOfValue));
	const alternatives = schema["anyOf"] ?? schema["oneOf"];
	if (!Array.isArray(alternatives)) return new Set();
	const all = alternatives.map((one) => typesOf(resolveSchema(one, root), root, depth + 1));
	// One alternative that allows anything makes the whole allow anything.
	return all.some((types) => types.size === 0)
		? new Set()
		: new Set(all.flatMap((one) => [...one]));
}

function isList(schema: Schema | undefined): boolean {
	return schema?.["type"] === "array";
}

function isOneOf(value: unknown, types: ReadonlySet<string>): boolean {
	const type = typeOfValue(value);
	return types.has(type) || (type === "integer" && types.has("number"));
}

function typeOfValue(value: unknown): string {
	if (value === null) return "null";
	if (Array.isArray(value)) return "array";
	return Number.isInteger(value) ? "integer" : typeof value;
}

/** Follows `$ref` within the document; anything else is left alone. */
function resolveSchema(value: unknown, root: Schema): Schema | undefined {
	let schema = asSchema(value);
	for (let depth = 0; depth < schema_depth_max; depth += 1) {
		const reference = schema?.["$ref"];
		if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
		let target: unknown = root;
		for (const part of reference.slice(2).split("/")) {
			const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
			target = asSchema(target)?.[key];
		}
		schema = asSchema(target);
	}
	return undefined;
}

function asSchema(value: unknown): Schema | undefined {
	const is_object = typeof value === "object" && value !== null && !Array.isArray(value);
	return is_object ? (value as Schema) : undefined;
}

function parse(text: string): { readonly value: unknown } | undefined {
	try {
		return { value: JSON.parse(text) as unknown };
	} catch {
		return undefined;
	}
}

function unknownArgument(name: string, properties: Schema): string {
	const nearest = nearestName(name, Object.keys(properties));
	const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
	return `The tool has no argument "${name}".${hint}`;
}

function withArticle(type: string): string {
	return type === "null" ? type : `${/^[aio]/.test(type) ? "an" : "a"} ${type}`;
}

function shown(text: string): string {
	return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
