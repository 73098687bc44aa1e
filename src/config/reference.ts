import { moorageJsonSchema, type SchemaNode } from "./json-schema.ts";

/** One key of moorage.yaml, for the reference. */
export interface ReferenceRow {
	/** `servers.NAME.timeouts.start` */
	readonly key: string;
	readonly form: string;
	/** The default as written in YAML; empty where there is none. */
	readonly default_text: string;
	readonly description: string;
}

/** Every key of moorage.yaml in the order of the schema. */
export function referenceRows(): ReferenceRow[] {
	return rowsOf(moorageJsonSchema(), "");
}

/** The reference as a Markdown table. */
export function referenceTable(): string {
	const rows = referenceRows().map((row) => {
		const shown = row.default_text === "" ? "" : `\`${row.default_text}\``;
		return `| \`${row.key}\` | ${row.form} | ${shown} | ${row.description} |`;
	});
	return ["| key | form | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function rowsOf(node: SchemaNode, prefix: string): ReferenceRow[] {
	return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
		const key = prefix + name;
		const row: ReferenceRow = {
			key,
			form: formOf(child),
			default_text: defaultText(child),
			description: child.description ?? "",
		};
		return [row, ...childRows(child, key)];
	});
}

function childRows(node: SchemaNode, key: string): ReferenceRow[] {
	const values = node.additionalProperties;
	if (typeof values === "object" && values.properties !== undefined) {
		return rowsOf(values, `${key}.NAME.`);
	}
	if (node.items?.properties !== undefined) return rowsOf(node.items, `${key}[].`);
	const forms = [node, ...(node.anyOf ?? [])];
	return forms.flatMap((form) => rowsOf(form, `${key}.`));
}

function formOf(node: SchemaNode): string {
	if (node.const !== undefined) return `\`${node.const}\``;
	if (node.enum !== undefined) return node.enum.map((one) => `\`${one}\``).join(", ");
	if (node.anyOf !== undefined) return node.anyOf.map(formOf).join(" or ");
	if (node.pattern?.includes("ms") === true) return "duration";
	if (node.pattern?.includes("MiB") === true) return "size";
	const types: Readonly<Record<string, string>> = {
		string: "text",
		integer: "number",
		array: "list",
		object: "map",
	};
	return types[String(node.type)] ?? String(node.type);
}

function defaultText(node: SchemaNode): string {
	const value = node.default;
	if (value === undefined || JSON.stringify(value) === "{}") return "";
	if (Array.isArray(value)) return `[${value.map((one) => JSON.stringify(one)).join(", ")}]`;
	return typeof value === "string" ? value : JSON.stringify(value);
}
