import { ExactNumber } from "./exact-json.ts";
import { plain } from "./format.ts";

/** A tool as a server describes it; nothing in it is to be trusted. */
export interface Tool {
	readonly name: string;
	readonly title: string | undefined;
	readonly description: string;
	readonly input_schema: Schema;
	readonly output_schema: Schema | undefined;
	readonly annotations: Readonly<Record<string, unknown>>;
	/** The `ui://` resource that shows its results, where it has one (SEP-1865). */
	readonly app_uri: string | undefined;
	/** As the server wrote it. */
	readonly raw: unknown;
	/** What its definition costs in a model's context, estimated. */
	readonly tokens: number;
}

/** A JSON Schema, as far as forms are made from it. */
export type Schema = Readonly<Record<string, unknown>>;

/** Characters of English and JSON that make about one token. */
const chars_per_token = 3.6;

/** Reads a tool's definition; undefined for what is none. */
export function toolOf(raw: unknown): Tool | undefined {
	if (!isObject(raw) || typeof raw["name"] !== "string") return undefined;
	const { name, description, inputSchema, outputSchema, annotations } = raw;
	const meta = isObject(raw["_meta"]) ? raw["_meta"] : {};
	const ui = isObject(meta["ui"]) ? meta["ui"]["resourceUri"] : meta["ui/resourceUri"];
	return {
		name,
		title: typeof raw["title"] === "string" ? raw["title"] : undefined,
		description: typeof description === "string" ? description : "",
		input_schema: isObject(inputSchema) ? inputSchema : {},
		output_schema: isObject(outputSchema) ? outputSchema : undefined,
		annotations: isObject(annotations) ? annotations : {},
		app_uri: typeof ui === "string" && ui.startsWith("ui://") ? ui : undefined,
		raw,
		tokens: estimateTokens([name, description, inputSchema]),
	};
}

/** What a value costs in a model's context, roughly. */
export function estimateTokens(value: unknown): number {
	return Math.ceil(JSON.stringify(value).length / chars_per_token);
}

/** What a tool says of itself, in words. A server may say anything. */
export function hintsOf({ annotations }: Tool): string[] {
	const hints: string[] = [];
	if (annotations["readOnlyHint"] === true) hints.push("reads only");
	else if (annotations["destructiveHint"] === true) hints.push("may destroy");
	if (annotations["idempotentHint"] === true) hints.push("safe to repeat");
	if (annotations["openWorldHint"] === true) hints.push("reaches the outside");
	return hints;
}

/** A tool's name, fit to be read. */
export function toolTitle(tool: Tool): string {
	return plain(tool.title ?? tool.name, 120);
}

/** Whether a value is an object with members. */
export function isObject(value: unknown): value is Record<string, unknown> {
	if (typeof value !== "object" || value === null) return false;
	return !Array.isArray(value) && !(value instanceof ExactNumber);
}
