import { textOf } from "../lib/format.ts";
import { isObject, type Schema, toolOf } from "../lib/tools.ts";

/** The kinds of things that can be called by hand. */
export type ItemKind = "tools" | "resources" | "prompts";

/** What can be chosen, and where it is read from. */
export const kinds = [
	{ id: "tools", title: "Tools", operation: "listTools" },
	{ id: "resources", title: "Resources", operation: "listResources" },
	{ id: "prompts", title: "Prompts", operation: "listPrompts" },
] as const;

/** Something that can be called: with a form for what it is called with. */
export interface Item {
	readonly name: string;
	readonly title: string;
	readonly description: string;
	readonly schema: Schema;
	readonly app_uri: string | undefined;
	/** The request for what was filled in. */
	request(args: Readonly<Record<string, unknown>>): { method: string; params: object };
}

/** What a server offers of a kind, from its list. */
export function itemsOf(kind: ItemKind, list: Readonly<Record<string, unknown>>): Item[] {
	if (kind === "tools") return each(list["tools"], toolItem);
	if (kind === "prompts") return each(list["prompts"], promptItem);
	return [...each(list["resources"], resourceItem), ...each(list["templates"], templateItem)];
}

function each(list: unknown, make: (raw: Schema) => Item | undefined): Item[] {
	if (!Array.isArray(list)) return [];
	return (list as unknown[]).flatMap((raw) => (isObject(raw) ? (make(raw) ?? []) : []));
}

function toolItem(raw: Schema): Item | undefined {
	const tool = toolOf(raw);
	if (tool === undefined) return undefined;
	return {
		name: tool.name,
		title: tool.title ?? tool.name,
		description: tool.description,
		// Arguments are an object, also where a schema forgets to say so.
		schema: { type: "object", ...tool.input_schema },
		app_uri: tool.app_uri,
		request: (args) => ({
			method: "tools/call",
			params: { name: tool.name, arguments: args },
		}),
	};
}

function resourceItem(raw: Schema): Item | undefined {
	const { uri } = raw;
	if (typeof uri !== "string") return undefined;
	return {
		...described(raw, uri),
		schema: { type: "object", properties: {}, additionalProperties: false },
		request: () => ({ method: "resources/read", params: { uri } }),
	};
}

function templateItem(raw: Schema): Item | undefined {
	const { uriTemplate: template } = raw;
	if (typeof template !== "string") return undefined;
	const names = [...template.matchAll(/\{[+#./;?&]?([\w.,*:]+)\}/g)].flatMap(([, list = ""]) =>
		list.split(",").map((name) => name.replace(/[*:].*$/, "")),
	);
	const properties = Object.fromEntries(
		names.map((name) => [name, { type: "string", minLength: 1 }]),
	);
	return {
		...described(raw, template),
		schema: { type: "object", properties, required: names },
		request: (args) => ({ method: "resources/read", params: { uri: filled(template, args) } }),
	};
}

/** A template with its variables filled in (RFC 6570, its simple forms). */
function filled(template: string, args: Readonly<Record<string, unknown>>): string {
	return template.replace(/\{([+#./;?&]?)([\w.]+)[*]?\}/g, (_whole, sign: string, name: string) => {
		const value = textOf(args[name]);
		const text = sign === "+" || sign === "#" ? encodeURI(value) : encodeURIComponent(value);
		return sign === "+" || sign === "" ? text : sign + text;
	});
}

function promptItem(raw: Schema): Item | undefined {
	const { name } = raw;
	if (typeof name !== "string") return undefined;
	const list = Array.isArray(raw["arguments"]) ? (raw["arguments"] as unknown[]) : [];
	const named = list.filter(isObject).filter((one) => typeof one["name"] === "string");
	const properties = named.map(({ name: argument, description }) => [
		String(argument),
		{ type: "string", ...(typeof description === "string" ? { description } : {}) },
	]);
	const required = named.filter((one) => one["required"] === true).map((one) => one["name"]);
	return {
		...described(raw, name),
		schema: { type: "object", properties: Object.fromEntries(properties), required },
		request: (args) => ({ method: "prompts/get", params: { name, arguments: args } }),
	};
}

function described(raw: Schema, name: string) {
	const { title, description } = raw;
	const own_name = typeof raw["name"] === "string" ? raw["name"] : name;
	return {
		name,
		title: typeof title === "string" ? title : own_name,
		description: typeof description === "string" ? description : "",
		app_uri: undefined,
	};
}
