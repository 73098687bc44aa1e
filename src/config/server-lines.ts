import { isMap, isScalar, LineCounter, parseDocument } from "yaml";

/** Where a server's entry begins. */
export interface ServerLine {
	readonly name: string;
	/** Counted from 1. */
	readonly line: number;
}

const places = [["servers"], ["mcpServers"], ["mcp", "servers"]];

/** Where each server of a configuration begins; nothing for a text that cannot be read. */
export function serverLines(text: string): ServerLine[] {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines });
	return places.flatMap((place) => {
		const map = document.getIn(place, true);
		if (!isMap(map)) return [];
		return map.items.flatMap(({ key }) => {
			if (!isScalar(key) || typeof key.value !== "string") return [];
			return [{ name: key.value, line: lines.linePos(key.range?.[0] ?? 0).line }];
		});
	});
}
