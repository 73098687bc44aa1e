import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "./stdio-hop.ts";

test("a line is put together of pieces whose memory has been given back since", () => {
	const seen: string[] = [];
	const lines = new Lines((line) => seen.push(line));
	for (const text of ['{"a":', "1", "}\n{}\n"]) {
		const chunk = Buffer.from(new TextEncoder().encode(text).buffer);
		lines.push(chunk);
		chunk.buffer.transfer(0);
	}
	assert.deepEqual(seen, ['{"a":1}', "{}"]);
});
