import * as z from "zod";
import { moorage_schema } from "./schema.ts";

/** One node of the JSON Schema, as far as the reference reads it. */
export interface SchemaNode {
	readonly type?: string | readonly string[];
	readonly description?: string;
	readonly default?: unknown;
	readonly enum?: readonly string[];
	readonly const?: number | string;
	readonly pattern?: string;
	readonly properties?: Readonly<Record<string, SchemaNode>>;
	readonly additionalProperties?: SchemaNode | boolean;
	readonly anyOf?: readonly SchemaNode[];
	readonly items?: SchemaNode;
}

/** The JSON Schema of moorage.yaml for editors, draft 2020-12. */
export function moorageJsonSchema(): SchemaNode {
	const schema = z.toJSONSchema(moorage_schema, { io: "input" });
	return { ...schema, title: "moorage.yaml" } as SchemaNode;
}

/** The schema as a file: lists of words on one line, as the formatter has them. */
export function moorageJsonSchemaText(): string {
	const text = JSON.stringify(moorageJsonSchema(), null, "\t");
	const one_line = text.replaceAll(
		/^(\t*)(.*)\[\s+((?:"[^"\n]*",?\s+)+)\]/gm,
		(whole: string, indent: string, key: string, words: string) => {
			const line = `${key}[${words.trim().replaceAll(/\s*\n\s*/g, " ")}]`;
			// As the formatter of this repository has it.
			return indent.length * 2 + line.length < 100 ? indent + line : whole;
		},
	);
	return `${one_line}\n`;
}
