import { encodeHeaderValue } from "../../protocol/headers.ts";
import { type ParamHeader, paramHeadersOf, paramText } from "../../protocol/param-headers.ts";
import type { Message } from "../../wire/message.ts";
import { indexArray, indexObject, memberSpan, readJson, readString } from "../../wire/object.ts";

const annotation = "x-mcp-header";
const tools_max = 10_000;

/**
 * Remembers which arguments of which tools have to be mirrored in `Mcp-Param-*` headers
 * (SEP-2243), from the tool lists that pass by, and makes these headers for calls.
 */
export class ParamHeaders {
	readonly #tools = new Map<string, readonly ParamHeader[]>();

	/** Looks at a reply to `tools/list`. Lists without annotations cost one search. */
	learn(reply: Message): void {
		const { bytes } = reply;
		const tools = memberSpan(reply.result, "tools");
		const nothing_new = this.#tools.size === 0 && !bytes.includes(annotation);
		if (tools === undefined || nothing_new) return;
		for (const span of indexArray(bytes, tools) ?? []) {
			const name = readString(bytes, memberSpan(indexObject(bytes, span), "name"));
			if (name === undefined) continue;
			const headers = paramHeadersOf(bytes.subarray(span.start, span.end));
			if (headers.length === 0) this.#tools.delete(name);
			else if (this.#tools.size < tools_max) this.#tools.set(name, headers);
		}
	}

	/** The headers for a call, from its arguments. */
	headersFor(call: Message): Record<string, string> {
		const { bytes, params } = call;
		if (this.#tools.size === 0 || call.method !== "tools/call") return {};
		const known = this.#tools.get(readString(bytes, memberSpan(params, "name")) ?? "");
		if (known === undefined) return {};
		const values = readJson(bytes, memberSpan(params, "arguments"));
		const headers: Record<string, string> = {};
		for (const { path, header } of known) {
			const text = paramText(valueAt(values, path));
			if (text !== undefined) headers[header] = encodeHeaderValue(text);
		}
		return headers;
	}
}

function valueAt(value: unknown, path: readonly string[]): unknown {
	let current = value;
	for (const key of path) {
		if (typeof current !== "object" || current === null) return undefined;
		current = (current as Record<string, unknown>)[key];
	}
	return current;
}
