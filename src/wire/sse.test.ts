// In a process of its own: it measures what the process holds outside of the heap.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cuts, pieces } from "../../test/support/json-text.ts";
import { encodeSseEvent, SseReader, sse_comment_keep_alive } from "./sse.ts";

type Told =
	| { event: string; data: string; id: string | undefined }
	| { retry_ms: number }
	| "oversize";

function collect(event_bytes_max = 1000): { reader: SseReader; told: Told[] } {
	const told: Told[] = [];
	const reader = new SseReader({
		event_bytes_max,
		onEvent: ({ event, data, id }) => told.push({ event, data: data.toString(), id }),
		onRetry: (retry_ms) => told.push({ retry_ms }),
		onOversize: () => told.push("oversize"),
	});
	return { reader, told };
}

function read(stream: string | readonly (string | Buffer)[], event_bytes_max?: number): Told[] {
	const { reader, told } = collect(event_bytes_max);
	for (const chunk of typeof stream === "string" ? [stream] : stream) {
		reader.push(Buffer.from(chunk));
	}
	return told;
}

function message(data: string, id?: string): Told {
	return { event: "message", data, id };
}

test("an event is dispatched by its empty line and not before", () => {
	const { reader, told } = collect();
	reader.push(Buffer.from("data: a\n"));
	assert.deepEqual(told, []);
	reader.push(Buffer.from("\n"));
	assert.deepEqual(told, [message("a")]);
});

test("the standard's own examples are read as it says", () => {
	assert.deepEqual(read("data: YHOO\ndata: +2\ndata: 10\n\n"), [message("YHOO\n+2\n10")]);
	assert.deepEqual(
		read(
			": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
		),
		[message("first event", "1"), message("second event", ""), message(" third event", "")],
	);
	assert.deepEqual(read("data\n\ndata\ndata\n\ndata:"), [message(""), message("\n")]);
	assert.deepEqual(read("data:test\n\ndata: test\n\n"), [message("test"), message("test")]);
});

test("lines end with a newline, a return, or both", () => {
	for (const end of ["\n", "\r", "\r\n"]) {
		const stream = `data: a${end}data: b${end}${end}data: c${end}${end}`;
		assert.deepEqual(read(stream), [message("a\nb"), message("c")], JSON.stringify(end));
	}
	assert.deepEqual(read("data: a\r\ndata: b\n\r\ndata: c\r\r\n"), [message("a\nb"), message("c")]);
	assert.deepEqual(read(["data: a\r", "\n\r", "\ndata: b\r", "\r", "\n"]), [
		message("a"),
		message("b"),
	]);
});

test("the type is for one event, the id stays until the next id", () => {
	assert.deepEqual(read("event: x\nid: 7\ndata: a\n\ndata: b\n\nid: 8\n\ndata: c\n\n"), [
		{ event: "x", data: "a", id: "7" },
		message("b", "7"),
		message("c", "8"),
	]);
	assert.deepEqual(read("event: x\n\ndata: a\n\nevent\ndata: b\n\n"), [message("a"), message("b")]);
});

test("an id with NUL in it is ignored", () => {
	assert.deepEqual(read("id: 1\nid: a\0b\ndata: a\n\n"), [message("a", "1")]);
});

test("retry is digits only", () => {
	assert.deepEqual(read("retry: 1500\n\nretry:07\n"), [{ retry_ms: 1500 }, { retry_ms: 7 }]);
	assert.deepEqual(
		read("retry\nretry:\nretry: -1\nretry: 1.5\nretry: 1e3\nretry:  5\nretry: 5 \n"),
		[],
	);
	assert.deepEqual(read(`retry: ${"9".repeat(400)}\n`), [{ retry_ms: Number.MAX_SAFE_INTEGER }]);
});

test("comments and unknown fields are ignored", () => {
	assert.deepEqual(read(":\n: x\nfoo: bar\nfoo\n data: x\nDATA: x\ndata : x\ndata: a\n\n"), [
		message("a"),
	]);
	assert.deepEqual(read(sse_comment_keep_alive.toString().repeat(3)), []);
});

test("a byte order mark is skipped at the start and only there", () => {
	assert.deepEqual(read("\ufeffdata: a\n\n\ufeffdata: b\n\ndata: c\n\n"), [
		message("a"),
		message("c"),
	]);
	assert.deepEqual(read(pieces(Buffer.from("\ufeffdata: a\n\n"), [1])), [message("a")]);
	assert.deepEqual(read("\ufeff\ufeffdata: a\n\n"), []);
	assert.deepEqual(read("\ufeff: comment\ndata: a\n\n"), [message("a")]);
});

test("an event that the stream's end cuts off is dropped, and a new stream starts anew", () => {
	const { reader, told } = collect();
	reader.push(Buffer.from("id: 1\ndata: a\n\nevent: x\ndata: b\ndat"));
	reader.end();
	reader.push(Buffer.from("\ufeffdata: c\n\n"));
	assert.deepEqual(told, [message("a", "1"), message("c")]);
});

test("data is told as bytes, whatever they are", () => {
	const data = Buffer.from([0xff, 0x00, 0xc3, 0x28]);
	const reader = new SseReader({
		event_bytes_max: 10,
		onEvent: (event) => assert.deepEqual(event.data, data),
		onRetry: () => assert.fail(),
		onOversize: () => assert.fail(),
	});
	reader.push(encodeSseEvent({ data }));
});

test("data of the largest size is accepted, one more byte is told once and discarded", () => {
	assert.deepEqual(read("data: 12345\n\ndata: 123456\n\ndata: 1\n\n", 5), [
		message("12345"),
		"oversize",
		message("1"),
	]);
	assert.deepEqual(read("data:12345\n\ndata:123456\n\n", 5), [message("12345"), "oversize"]);
	assert.deepEqual(read("data:12\ndata:34\n\ndata:12\ndata:345\ndata:6\n\ndata:1\n\n", 5), [
		message("12\n34"),
		"oversize",
		message("1"),
	]);
});

test("a line without end is not kept, a comment without end is nothing at all", () => {
	const { reader, told } = collect(1000);
	const chunk = Buffer.alloc(64 * 1024, "x");
	const before = process.memoryUsage().arrayBuffers;
	reader.push(Buffer.from("data: "));
	for (let count = 0; count < 800; count++) reader.push(chunk);
	assert.deepEqual(told, ["oversize"]);
	reader.push(Buffer.from("\n\n:"));
	for (let count = 0; count < 800; count++) reader.push(chunk);
	reader.push(Buffer.from("\ndata: a\n\n"));
	assert.deepEqual(told, ["oversize", message("a")]);
	const held = process.memoryUsage().arrayBuffers - before;
	assert.ok(held < 16 * 1024 * 1024, `${held} bytes were held`);
});

test("an event of many megabytes arrives whole in small chunks, on one line or many", () => {
	const { reader, told } = collect(10_000_000);
	const text = "x".repeat(99);
	const many = `data: ${text}\n`.repeat(50_000);
	for (const stream of [`data: ${text.repeat(50_000)}\n\n`, `${many}\n`]) {
		for (const piece of pieces(Buffer.from(stream), [1000, 1, 333])) reader.push(piece);
	}
	assert.deepEqual(told, [
		message(text.repeat(50_000)),
		message(`${text}\n`.repeat(50_000).slice(0, -1)),
	]);
});

test("an event is encoded field by field", () => {
	const data = Buffer.from('{"a":1}');
	assert.equal(encodeSseEvent({ data }).toString(), 'data: {"a":1}\n\n');
	assert.equal(
		encodeSseEvent({ data, id: "ä7", event: "message", retry_ms: 500 }).toString(),
		'event: message\nid: ä7\nretry: 500\ndata: {"a":1}\n\n',
	);
	assert.equal(encodeSseEvent({ data: Buffer.alloc(0), id: "1" }).toString(), "id: 1\ndata: \n\n");
	assert.equal(
		encodeSseEvent({ data: Buffer.from("a\nb\r\nc\rd\n") }).toString(),
		"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
	);
});

test("a field that is not a single line is a programmer's error", () => {
	const data = Buffer.from("x");
	for (const event of [
		{ data, id: "a\nb" },
		{ data, id: "a\rb" },
		{ data, id: "a\0b" },
		{ data, event: "a\n" },
		{ data, retry_ms: -1 },
		{ data, retry_ms: 1.5 },
		{ data, retry_ms: Number.NaN },
	]) {
		assert.throws(() => encodeSseEvent(event), { name: "AssertionError" });
	}
});

test("what is encoded is read back, however it is cut, line breaks as newlines", () => {
	const line = fc.stringMatching(/^[^\r\n\0\ufeff\ud800-\udfff]*$/u);
	const event = fc.record(
		{
			data: fc.string({ unit: fc.constantFrom("a", " ", ":", "ä", "\n", "\r", "\r\n", "data: ") }),
			id: line,
			event: line,
			retry_ms: fc.nat(),
		},
		{ requiredKeys: ["data"] },
	);
	fc.assert(
		fc.property(fc.array(event), cuts, (events, lengths) => {
			const expected: Told[] = [];
			let last_id: string | undefined;
			for (const { data, id, event: type, retry_ms } of events) {
				if (retry_ms !== undefined) expected.push({ retry_ms });
				last_id = id ?? last_id;
				const text = data.replaceAll(/\r\n?/gu, "\n");
				expected.push({ event: type || "message", data: text, id: last_id });
			}
			const stream = Buffer.concat(
				events.map(({ data, ...rest }) => encodeSseEvent({ ...rest, data: Buffer.from(data) })),
			);
			assert.deepEqual(read(pieces(stream, lengths), 10_000), expected);
		}),
		{ numRuns: 300 },
	);
});

/** The standard's algorithm on the whole stream at once, with our limits. */
function readWhole(stream: string, event_bytes_max: number): Told[] {
	const told: Told[] = [];
	let data: string[] = [];
	let type = "";
	let id: string | undefined;
	let oversize = false;
	const lines = stream.replace(/^\ufeff/u, "").split(/\r\n|\r|\n/u);
	for (const [at, line] of lines.entries()) {
		const mark_bytes = at === 0 && stream.startsWith("\ufeff") ? 3 : 0;
		const is_last = at === lines.length - 1;
		const is_comment = line.startsWith(":") && mark_bytes === 0;
		if (!is_comment && Buffer.byteLength(line) + mark_bytes > event_bytes_max + 6) {
			if (!oversize) told.push("oversize");
			oversize = true;
			continue;
		}
		if (is_last) break;
		if (line === "") {
			if (!oversize && data.length > 0) {
				told.push({ event: type || "message", data: data.join("\n"), id });
			}
			data = [];
			type = "";
			oversize = false;
			continue;
		}
		if (oversize || line.startsWith(":")) continue;
		const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
		if (field === "data") {
			data.push(value);
			oversize = Buffer.byteLength(data.join("\n")) > event_bytes_max;
			if (oversize) told.push("oversize");
		} else if (field === "event") type = value;
		else if (field === "id" && !value.includes("\0")) id = value;
		else if (field === "retry" && /^\d+$/u.test(value)) told.push({ retry_ms: Number(value) });
	}
	return told;
}

test("any stream is read as the standard has it, however it is cut", () => {
	const parts = [
		["data", "event", "id", "retry", ":", ": ", " ", "a", "7", "\0", "ä", "long enough"],
		["\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\ufeff"],
		["data: a\n", "id: 1\n", "retry: 5\n", "event: e\r\n", ":comment\n", "data: long text\n"],
	];
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(...parts.flat()), { maxLength: 30 }),
			cuts,
			fc.integer({ min: 0, max: 30 }),
			(stream_parts, lengths, event_bytes_max) => {
				const stream = stream_parts.join("");
				const expected = readWhole(stream, event_bytes_max);
				assert.deepEqual(read(stream, event_bytes_max), expected);
				assert.deepEqual(read(pieces(Buffer.from(stream), lengths), event_bytes_max), expected);
			},
		),
		{ numRuns: 2000 },
	);
});
