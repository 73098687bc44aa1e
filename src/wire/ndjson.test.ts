// In a process of its own: it measures what the process holds outside of the heap.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cuts, object_text, pieces } from "../../test/support/json-text.ts";
import { LineReader, toLine } from "./ndjson.ts";
import { indexObject, readJson } from "./object.ts";

const head_bytes_max = 4096;

type Told = { line: string } | { head: string; bytes_total: number };

function collect(line_bytes_max: number): { reader: LineReader; told: Told[] } {
	const told: Told[] = [];
	const reader = new LineReader({
		line_bytes_max,
		onLine: (line) => told.push({ line: line.toString("latin1") }),
		onOversize: (head, bytes_total) => told.push({ head: head.toString("latin1"), bytes_total }),
	});
	return { reader, told };
}

function read(line_bytes_max: number, ...chunks: (string | Buffer)[]): Told[] {
	const { reader, told } = collect(line_bytes_max);
	for (const chunk of chunks) reader.push(Buffer.from(chunk));
	reader.end();
	return told;
}

test("lines end with a newline, with or without a return before it", () => {
	assert.deepEqual(read(10, "a\nb\r\nc\rd\n"), [{ line: "a" }, { line: "b" }, { line: "c\rd" }]);
});

test("a line that is too long is told of at once, and once, though it never ends", () => {
	let told = 0;
	const reader = new LineReader({
		line_bytes_max: 10,
		onLine: () => {},
		onExcess: () => {
			told += 1;
		},
		onOversize: () => assert.fail("it has not ended"),
	});
	reader.push(Buffer.from("fits\nhere\nseven..."));
	assert.equal(told, 0);
	for (let piece = 0; piece < 5; piece++) reader.push(Buffer.from("and more"));
	assert.equal(told, 1);
});

test("empty lines are skipped", () => {
	assert.deepEqual(read(10, "\n\r\n\n\na\n\n\r\n"), [{ line: "a" }]);
	assert.deepEqual(read(10, "\r"), []);
});

test("half lines are put together", () => {
	assert.deepEqual(read(10, "a", "b", "", "c\nd", "e\r", "\nf", "\n"), [
		{ line: "abc" },
		{ line: "de" },
		{ line: "f" },
	]);
});

test("lines are the same where the reader may empty the chunks once it has copied them", () => {
	const line = fc.nat(50_000).map((length) => "x".repeat(length));
	const ends = fc.array(fc.nat(40_000), { maxLength: 20 });
	fc.assert(
		fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), ends, (lines, lengths) => {
			const told: string[] = [];
			const reader = new LineReader({
				line_bytes_max: 60_000,
				owns_chunks: true,
				onLine: (bytes) => told.push(bytes.toString()),
				onOversize: () => assert.fail("no line is too long"),
			});
			const whole = Buffer.from(lines.map((text) => `${text}\n`).join(""));
			let at = 0;
			for (const length of [...lengths, whole.length]) {
				// Memory of its own, as each read of a pipe has.
				const chunk = Buffer.alloc(Math.min(length, whole.length - at));
				whole.copy(chunk, 0, at);
				reader.push(chunk);
				at = Math.min(at + length, whole.length);
			}
			assert.deepEqual(
				told,
				lines.filter((text) => text !== ""),
			);
		}),
	);
});

test("what stands behind the last newline is a line when the stream ends", () => {
	assert.deepEqual(read(10, "a\nlast"), [{ line: "a" }, { line: "last" }]);
	assert.deepEqual(read(10, "a\n"), [{ line: "a" }]);
});

test("a line of the longest length is accepted with either ending, one more byte is not", () => {
	assert.deepEqual(read(3, "abc\nabc\r\nabcd\nabcd\r\nabc"), [
		{ line: "abc" },
		{ line: "abc" },
		{ head: "abcd", bytes_total: 4 },
		{ head: "abcd", bytes_total: 4 },
		{ line: "abc" },
	]);
	assert.deepEqual(read(3, "abc", "\r", "\r", "\n", "abc", "\r", "\n", "ab", "cd"), [
		{ head: "abc\r", bytes_total: 4 },
		{ line: "abc" },
		{ head: "abcd", bytes_total: 4 },
	]);
});

test("an oversize line is told once, when it has ended, and the lines after it are read", () => {
	const { reader, told } = collect(10);
	reader.push(Buffer.from("x".repeat(20)));
	reader.push(Buffer.from("y".repeat(20)));
	assert.deepEqual(told, []);
	reader.push(Buffer.from("z\nnext\n"));
	assert.deepEqual(told, [
		{ head: "x".repeat(20) + "y".repeat(20) + "z", bytes_total: 41 },
		{ line: "next" },
	]);
});

test("the head of an oversize line is its first 4 KiB and no view of its chunk", () => {
	const line = Buffer.alloc(100_000, "0123456789");
	let heads = 0;
	const reader = new LineReader({
		line_bytes_max: 10,
		onLine: () => assert.fail("no line is within the limit"),
		onOversize: (head, bytes_total) => {
			heads++;
			assert.equal(bytes_total, 100_000);
			assert.deepEqual(head, line.subarray(0, head_bytes_max));
			assert.notEqual(head.buffer, line.buffer);
		},
	});
	reader.push(Buffer.concat([line, Buffer.from("\n")]));
	for (const piece of pieces(line, [1000, 1, 77])) reader.push(piece);
	reader.end();
	assert.equal(heads, 2);
});

test("a reader goes on after an end", () => {
	const { reader, told } = collect(10);
	reader.push(Buffer.from("x".repeat(30)));
	reader.end();
	reader.push(Buffer.from("a\nb"));
	reader.end();
	reader.end();
	assert.deepEqual(told.slice(1), [{ line: "a" }, { line: "b" }]);
});

test("lines of a chunk share its memory; thousands of them are all told", () => {
	const chunk = Buffer.from(Array.from({ length: 10_000 }, (_, at) => `line ${at}\n`).join(""));
	let count = 0;
	const reader = new LineReader({
		line_bytes_max: 100,
		onLine: (line) => {
			assert.equal(line.buffer, chunk.buffer);
			assert.equal(line.toString(), `line ${count++}`);
		},
		onOversize: () => assert.fail("no line is too long"),
	});
	reader.push(chunk);
	assert.equal(count, 10_000);
});

test("a line of many megabytes in small chunks arrives whole", () => {
	const line = Buffer.alloc(8 * 1024 * 1024, "a line of many megabytes, ");
	const told: Buffer[] = [];
	const reader = new LineReader({
		line_bytes_max: line.length,
		onLine: (whole) => told.push(whole),
		onOversize: () => assert.fail("the line is not too long"),
	});
	for (const piece of pieces(line, [1024, 3])) reader.push(piece);
	assert.equal(told.length, 0);
	reader.push(Buffer.from("\n"));
	assert.equal(told.length, 1);
	assert.ok(told[0]?.equals(line));
});

test("a line of 100 MB is discarded as it comes", () => {
	const chunk = Buffer.alloc(64 * 1024, "x");
	const { reader, told } = collect(1024 * 1024);
	const before = process.memoryUsage().arrayBuffers;
	let most = 0;
	for (let count = 0; count < 1600; count++) {
		reader.push(chunk);
		most = Math.max(most, process.memoryUsage().arrayBuffers - before);
	}
	reader.push(Buffer.from("\nnext\n"));
	assert.deepEqual(told, [
		{ head: "x".repeat(head_bytes_max), bytes_total: 1600 * 64 * 1024 },
		{ line: "next" },
	]);
	// Doubling up to the limit leaves at most some megabytes behind for the collector.
	assert.ok(most < 16 * 1024 * 1024, `${most} bytes were held`);
});

test("the same lines are told however the stream is cut", () => {
	const part = fc.oneof(
		fc.stringMatching(/^[a-c\r]{0,12}$/u),
		fc.constantFrom("\n", "\r\n", "\n\n", "\r"),
		fc.integer({ min: 4000, max: 5000 }).map((length) => "long".repeat(length / 4)),
	);
	fc.assert(
		fc.property(fc.array(part), cuts, fc.integer({ min: 1, max: 20 }), (parts, lengths, max) => {
			const stream = parts.join("");
			const expected = stream
				.split("\n")
				.map((line) => line.replace(/\r$/u, ""))
				.filter((line) => line !== "")
				.map((line) =>
					line.length <= max
						? { line }
						: { head: line.slice(0, head_bytes_max), bytes_total: line.length },
				);
			assert.deepEqual(read(max, stream), expected);
			assert.deepEqual(read(max, ...pieces(Buffer.from(stream), lengths)), expected);
		}),
		{ numRuns: 500 },
	);
});

test("any JSON becomes one line that means the same", () => {
	fc.assert(
		fc.property(object_text, (text) => {
			const bytes = Buffer.from(text);
			const line = toLine(bytes);
			assert.equal(line.indexOf("\n"), line.length - 1);
			assert.equal(line.includes("\r"), false);
			assert.equal(line.toString(), `${text.replaceAll(/[\r\n]/gu, " ")}\n`);
			const whole = { start: 0, end: bytes.length };
			assert.deepEqual(readJson(line, indexObject(line, whole)?.span), readJson(bytes, whole));
			assert.equal(bytes.toString(), text);
		}),
	);
});
