import { isObject, type Schema } from "./tools.ts";

/**
 * What a form is made of, from the JSON Schema of a stranger. What it does not understand becomes a
 * field for JSON: no tool is out of reach because of its schema.
 */
export type Shape = { readonly about: About } & (
	| { readonly kind: "const"; readonly value: unknown }
	| { readonly kind: "enum"; readonly options: readonly unknown[] }
	| { readonly kind: "string"; readonly format: string | undefined }
	| { readonly kind: "number" | "integer" | "boolean" | "json" }
	| {
			readonly kind: "object";
			readonly members: readonly Member[];
			/** What members of any other name look like; undefined where there may be none, or any. */
			readonly rest: Shape | undefined;
			/** Whether nothing is known of it, so that it is written as JSON. */
			readonly open: boolean;
	  }
	| { readonly kind: "list"; readonly item: Shape }
	| { readonly kind: "union"; readonly options: readonly Shape[] }
);

/** What is said about a value beside its form. */
export interface About {
	readonly title: string | undefined;
	readonly description: string | undefined;
	readonly initial: unknown;
	readonly schema: Schema;
}

/** A member of an object. */
export interface Member {
	readonly name: string;
	readonly shape: Shape;
	readonly required: boolean;
}

const depth_max = 10;
const members_max = 200;
const options_max = 500;
/** Formats whose values people have as files. */
const file_formats = new Set(["byte", "binary", "base64"]);

/** The form of a schema; `root` is where its references lead. */
export function shapeOf(schema: unknown, root: Schema, depth = 0): Shape {
	const found = resolved(schema, root);
	const about: About = {
		title: text(found["title"]),
		description: text(found["description"]),
		initial: found["default"],
		schema: found,
	};
	if (depth > depth_max) return { kind: "json", about };
	if ("const" in found) return { kind: "const", value: found["const"], about };
	if (Array.isArray(found["enum"])) {
		return { kind: "enum", options: found["enum"].slice(0, options_max), about };
	}
	const options = optionsOf(found, root);
	if (options !== undefined) {
		const shapes = options.map((one) => shapeOf(one, root, depth + 1));
		const [only] = shapes;
		if (shapes.length === 1 && only !== undefined)
			return { ...only, about: merged(about, only.about) };
		return { kind: "union", options: shapes, about };
	}
	return plainShape(found, root, depth, about);
}

function plainShape(schema: Schema, root: Schema, depth: number, about: About): Shape {
	switch (schema["type"]) {
		case "string": {
			const encoding = schema["contentEncoding"] === "base64" ? "base64" : undefined;
			return { kind: "string", format: encoding ?? text(schema["format"]), about };
		}
		case "number":
		case "integer":
		case "boolean":
			return { kind: schema["type"], about };
		case "array": {
			const items = isObject(schema["items"]) ? schema["items"] : undefined;
			if (items === undefined) return { kind: "json", about };
			return { kind: "list", item: shapeOf(items, root, depth + 1), about };
		}
		default:
			if (schema["type"] !== "object" && !isObject(schema["properties"])) {
				return { kind: "json", about };
			}
			return objectShape(schema, root, depth, about);
	}
}

function objectShape(schema: Schema, root: Schema, depth: number, about: About): Shape {
	const properties = isObject(schema["properties"]) ? schema["properties"] : {};
	const required = Array.isArray(schema["required"]) ? schema["required"] : [];
	const members = Object.entries(properties)
		.slice(0, members_max)
		.map(([name, member]) => ({
			name,
			shape: shapeOf(member, root, depth + 1),
			required: required.includes(name),
		}));
	const others = schema["additionalProperties"];
	const rest = isObject(others) ? shapeOf(others, root, depth + 1) : undefined;
	const open = rest === undefined && others !== false && members.length === 0;
	return { kind: "object", members, rest, open, about };
}

/** The ways in which a value may be written; undefined where there is one only. */
function optionsOf(schema: Schema, root: Schema): unknown[] | undefined {
	const several = [schema["oneOf"], schema["anyOf"]].find(Array.isArray) as unknown[] | undefined;
	const types = Array.isArray(schema["type"]) ? (schema["type"] as unknown[]) : undefined;
	const options = several ?? types?.map((type) => ({ ...schema, type }));
	return options?.filter((one) => resolved(one, root)["type"] !== "null").slice(0, 20);
}

/** Follows references within the document, and joins what has to hold together. */
function resolved(schema: unknown, root: Schema): Schema {
	let current = isObject(schema) ? schema : {};
	for (let hop = 0; hop < depth_max && typeof current["$ref"] === "string"; hop += 1) {
		const { $ref: reference, ...beside } = current;
		current = { ...at(root, reference), ...beside };
	}
	if (!Array.isArray(current["allOf"])) return current;
	const { allOf, ...rest } = current;
	return (allOf as unknown[]).reduce<Schema>((all, one) => joined(all, resolved(one, root)), rest);
}

function joined(a: Schema, b: Schema): Schema {
	const properties = { ...(a["properties"] as object), ...(b["properties"] as object) };
	const required = [a["required"], b["required"]].flatMap((one) => (Array.isArray(one) ? one : []));
	return {
		...b,
		...a,
		...(Object.keys(properties).length === 0 ? {} : { properties }),
		...(required.length === 0 ? {} : { required }),
	};
}

function at(root: Schema, reference: string): Schema {
	if (!reference.startsWith("#/")) return {};
	let current: unknown = root;
	for (const part of reference.slice(2).split("/")) {
		const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
		current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
	}
	return isObject(current) ? current : {};
}

function merged(outer: About, inner: About): About {
	return {
		title: outer.title ?? inner.title,
		description: outer.description ?? inner.description,
		initial: outer.initial ?? inner.initial,
		schema: inner.schema,
	};
}

function text(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : undefined;
}

/** Whether a text is given as a file. */
export function isFile(shape: Shape): boolean {
	return shape.kind === "string" && shape.format !== undefined && file_formats.has(shape.format);
}
