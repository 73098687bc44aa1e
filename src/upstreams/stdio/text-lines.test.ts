import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { printable, readTextLines } from "./text-lines.ts";

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
	const stream = new PassThrough();
	const lines: string[] = [];
	readTextLines(stream, (line) => lines.push(line));
	const ended = new Promise((resolve) => stream.once("end", resolve));
	for (const chunk of chunks) stream.write(chunk);
	stream.end();
	await ended;
	return lines;
}

test("text is cut at its line ends, wherever the chunks end", async () => {
	assert.deepEqual(await linesOf("one\ntw", "o\r\n\nthr", "ee"), ["one", "two", "three"]);
});

test("a character that is split between two chunks stays whole", async () => {
	const bytes = Buffer.from("grüße\n");
	assert.deepEqual(await linesOf(bytes.subarray(0, 3), bytes.subarray(3)), ["grüße"]);
});

test("a long line is cut and says how long it was", async () => {
	const [line] = await linesOf("x".repeat(10_000), "x".repeat(90_000), "\n");
	assert.equal(line, `${"x".repeat(4096)}... (100000 bytes)`);
});

test("bytes that are no text are shown as such", () => {
	assert.equal(printable(Buffer.from([0x61, 0xff, 0x62])), "a\ufffdb");
});
