import { encodeHeaderValue, header_names } from "../../protocol/headers.ts";
import type { Message, Span } from "../../wire/message.ts";
import {
	indexArray,
	indexObject,
	memberSpan,
	rawText,
	readJson,
	readString,
} from "../../wire/object.ts";

/** Where in a tool's arguments a header's value stands. */
interface ParamHeader {
	readonly path: readonly string[];
	/** The whole header name, in lower case. */
	readonly header: string;
}

const annotation = "x-mcp-header";
const tools_max = 10_000;
const depth_max = 16;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/**
 * Remembers which arguments of which tools have to be mirrored in `Mcp-Param-*` headers
 * (SEP-2243), from the tool lists that pass by, and makes these headers for calls.
 */
export class ParamHeaders {
	readonly #tools = new Map<string, readonly ParamHeader[]>();

	/** Looks at a reply to `tools/list`. Lists without annotations cost one search. */
	learn(reply: Message): void {
		const { bytes, result } = reply;
		if (result === undefined) return;
		const tools = memberSpan(result, "tools");
		const annotated = bytes.includes(annotation);
		if (tools === undefined || (!annotated && this.#tools.size === 0)) return;
		for (const span of indexArray(bytes, tools) ?? []) {
			const tool = readJson(bytes, span) as { name?: unknown; inputSchema?: unknown } | null;
			if (typeof tool?.name !== "string") continue;
			const found = annotated ? findAnnotations(tool.inputSchema, [], 0) : [];
			if (found.length === 0) this.#tools.delete(tool.name);
			else if (this.#tools.size < tools_max) this.#tools.set(tool.name, found);
		}
	}

	/** The headers for a call, from its arguments. */
	headersFor(call: Message): Record<string, string> {
		const { bytes, params } = call;
		const headers: Record<string, string> = {};
		if (this.#tools.size === 0 || call.method !== "tools/call") return headers;
		const known = this.#tools.get(readString(bytes, memberSpan(params, "name")) ?? "");
		if (known === undefined) return headers;
		for (const { path, header } of known) {
			const value = valueAt(bytes, memberSpan(params, "arguments"), path);
			if (value !== undefined) headers[header] = encodeHeaderValue(value);
		}
		return headers;
	}
}

/** Annotated properties, reached through `properties` only, as the specification allows. */
function findAnnotations(schema: unknown, path: readonly string[], depth: number): ParamHeader[] {
	const properties = (schema as { properties?: unknown } | null | undefined)?.properties;
	if (typeof properties !== "object" || properties === null || depth > depth_max) return [];
	return Object.entries(properties).flatMap(([name, property]) => {
		const inner = [...path, name];
		const header = (property as Record<string, unknown> | null)?.[annotation];
		const own =
			typeof header === "string" && token.test(header)
				? [{ path: inner, header: header_names.param_prefix + header.toLowerCase() }]
				: [];
		return [...own, ...findAnnotations(property, inner, depth + 1)];
	});
}

/** The text at a place in the arguments, or a number or boolean as it is written there. */
function valueAt(
	bytes: Buffer,
	args: Span | undefined,
	path: readonly string[],
): string | undefined {
	let span = args;
	for (const key of path) {
		if (span === undefined) return undefined;
		span = memberSpan(indexObject(bytes, span), key);
	}
	if (span === undefined) return undefined;
	const raw = rawText(bytes, span);
	return readString(bytes, span) ?? (/^(?:-?\d|true$|false$)/.test(raw) ? raw : undefined);
}
