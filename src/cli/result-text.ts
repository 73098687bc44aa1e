import { printable } from "./output.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * The result of a tool call as text for people: text as it is, structured output where there is
 * no text, and one line for everything that cannot be shown in a terminal.
 */
export function resultText(result: unknown): string {
	const { content, structuredContent } = (result ?? {}) as Json;
	const blocks = Array.isArray(content) ? content.map(blockText) : [];
	if (blocks.length === 0 && structuredContent !== undefined) {
		return JSON.stringify(structuredContent, undefined, 2);
	}
	return blocks.join("\n");
}

/** What a listed resource, template or block calls itself. */
function blockText(block: unknown): string {
	const { type, text, data, mimeType, uri, name, resource } = (block ?? {}) as Json;
	switch (type) {
		case "text":
			return printable(String(text));
		case "image":
		case "audio":
			return `[${type} ${String(mimeType)}, ${base64Bytes(data)} bytes]`;
		case "resource_link":
			return printable(`[resource ${String(uri)}${typeof name === "string" ? ` ${name}` : ""}]`);
		case "resource": {
			const embedded = (resource ?? {}) as Json;
			if (typeof embedded["text"] === "string") return printable(embedded["text"]);
			return printable(
				`[resource ${String(embedded["uri"])}, ${base64Bytes(embedded["blob"])} bytes]`,
			);
		}
		default:
			return printable(`[${String(type)}] ${JSON.stringify(block)}`);
	}
}

function base64Bytes(data: unknown): number {
	return typeof data === "string" ? Buffer.byteLength(data, "base64") : 0;
}
