import { encodeHeaderValue, header_names } from "../../protocol/headers.ts";
import { paramHeadersOf, paramText } from "../../protocol/param-headers.ts";
import { memberSpan, readJson, spanAt } from "../../wire/object.ts";
import type { UpstreamRequest } from "../driver.ts";

/**
 * The `Mcp-Param-*` headers of a request to a modern server, names and values in turn: those
 * that the client sent, as it wrote them, and beside them what the tool's definition asks for
 * (SEP-2243). A legacy client sends none, and a server refuses a call without them.
 */
export function paramHeaders(request: UpstreamRequest): string[] {
	const list: string[] = [];
	const given = new Set<string>();
	for (const [name, value] of Object.entries(request.headers ?? {})) {
		const lower = name.toLowerCase();
		if (!lower.startsWith(header_names.param_prefix)) continue;
		given.add(lower);
		list.push(name, value);
	}
	const { message } = request;
	if (message.method !== "tools/call") return list;
	const tool = request.tool_schema?.();
	if (tool === undefined) return list;
	const args = memberSpan(message.params, "arguments");
	for (const { header, path } of paramHeadersOf(tool)) {
		if (given.has(header)) continue;
		const text = paramText(readJson(message.bytes, spanAt(message.bytes, args, path)));
		if (text !== undefined) list.push(header, encodeHeaderValue(text));
	}
	return list;
}
