import * as z from "zod";
import type { SchemaNode } from "./json-schema.ts";
import { server_schema, tools_map_schema } from "./schema.ts";

/** What stands in a client's file beside the members that Moorage knows is left as it is. */
const client_schema = z.looseObject({
	command: z.string().optional().describe("The program to run, alone."),
	args: z.array(z.string()).optional().describe("Its arguments, one by one."),
	env: z.record(z.string(), z.string()).optional().describe("Environment variables for it."),
	cwd: z.string().optional().describe("The folder it runs in."),
	url: z.string().optional().describe("The address of a remote server."),
	headers: z
		.record(z.string(), z.string())
		.optional()
		.describe("HTTP headers sent with every request to `url`."),
	tools: z
		.union([z.array(z.string()), tools_map_schema])
		.optional()
		.describe(
			"What holds for single tools, under their names or patterns. A list is left alone: it is another client's.",
		),
});

/**
 * JSON Schema of a server's entry, for a form. What holds where a member is left out is said in its
 * description and is no `default`: a form would write it into the file.
 */
export function entrySchema(form: "moorage" | "client"): SchemaNode {
	const schema = form === "moorage" ? server_schema : client_schema;
	const { $schema: _, ...node } = z.toJSONSchema(schema, { io: "input" });
	return withoutDefaults(node as SchemaNode);
}

function withoutDefaults(node: SchemaNode): SchemaNode {
	const { default: standard, properties, additionalProperties, items, ...told_as } = node;
	const { anyOf, ...own } = asText(told_as);
	// A word may be a number or a switch in the file, and is typed as a text.
	const rest = Array.isArray(own.type) ? { ...own, type: "string" } : own;
	const told = sentenceOf(standard);
	const description = [rest.description, told].filter((one) => one !== undefined).join(" ");
	return {
		...rest,
		...(description !== "" && { description }),
		...(properties && {
			properties: Object.fromEntries(
				Object.entries(properties).map(([name, one]) => [name, withoutDefaults(one)]),
			),
		}),
		...(additionalProperties !== undefined && {
			additionalProperties:
				typeof additionalProperties === "boolean"
					? additionalProperties
					: withoutDefaults(additionalProperties),
		}),
		...(anyOf && { anyOf: anyOf.map(withoutDefaults) }),
		...(items && { items: withoutDefaults(items) }),
	};
}

/** A text that may also be one of a few words is typed as a text. */
function asText(node: SchemaNode): SchemaNode {
	const { anyOf, ...rest } = node;
	const words = anyOf?.filter((one) => typeof one.const === "string") ?? [];
	const [text, ...more] = anyOf?.filter((one) => !words.includes(one)) ?? [];
	if (words.length === 0 || more.length > 0 || text?.type !== "string") return node;
	const also = `Or ${words.map((one) => `\`${one.const}\``).join(", ")}.`;
	return { ...rest, type: "string", description: [rest.description, also].join(" ").trim() };
}

function sentenceOf(standard: unknown): string | undefined {
	if (standard === undefined || (typeof standard === "object" && standard !== null))
		return undefined;
	return `Left out, it is ${typeof standard === "string" ? standard : JSON.stringify(standard)}.`;
}
