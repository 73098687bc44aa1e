import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader, type FrameStream } from "./frames.ts";

/** Everything a reader makes of some chunks. */
function read(chunks: readonly Buffer[]) {
	const streams: Record<FrameStream, Buffer[]> = { stdout: [], stderr: [] };
	const parts: FrameStream[] = [];
	let broken = 0;
	const reader = new FrameReader({
		onData(stream, bytes) {
			assert.ok(bytes.length > 0);
			streams[stream].push(bytes);
			parts.push(stream);
		},
		onBroken() {
			broken += 1;
		},
	});
	for (const chunk of chunks) reader.push(chunk);
	const text = (stream: FrameStream) => Buffer.concat(streams[stream]).toString("hex");
	return { stdout: text("stdout"), stderr: text("stderr"), parts, broken };
}

function frame(kind: number, body: Buffer): Buffer {
	const header = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
	header.writeUInt32BE(body.length, 4);
	return Buffer.concat([header, body]);
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
	const edges = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length];
	edges.sort((one, other) => one - other);
	return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

test("whatever way frames are cut on the wire, each stream comes out whole", () => {
	const bodies = fc.array(
		fc.record({ kind: fc.constantFrom(1, 2), body: fc.uint8Array({ maxLength: 40 }) }),
	);
	fc.assert(
		fc.property(bodies, fc.array(fc.nat(1000)), (sent, edges) => {
			const frames = sent.map(({ kind, body }) => frame(kind, Buffer.from(body)));
			const out = read(cut(Buffer.concat(frames), edges));
			const expected = (kind: number) =>
				Buffer.concat(sent.filter((one) => one.kind === kind).map(({ body }) => body));
			assert.equal(out.stdout, expected(1).toString("hex"));
			assert.equal(out.stderr, expected(2).toString("hex"));
			assert.equal(out.broken, 0);
		}),
	);
});

test("the bytes of a frame are passed on before the frame is complete", () => {
	const whole = frame(1, Buffer.from("abcdef"));
	assert.equal(read([whole.subarray(0, 11)]).stdout, Buffer.from("abc").toString("hex"));
});

test("an empty frame is nothing", () => {
	const out = read([frame(1, Buffer.alloc(0)), frame(2, Buffer.from("x"))]);
	assert.deepEqual(out.parts, ["stderr"]);
});

test("what is no frame is told once, and nothing after it is read", () => {
	const bad = [
		Buffer.from("HTTP/1.1"),
		frame(3, Buffer.from("a")),
		Buffer.from([1, 0, 9, 0, 0, 0, 0, 1]),
	];
	for (const bytes of bad) {
		const out = read([frame(1, Buffer.from("a")), bytes, frame(1, Buffer.from("b")), bytes]);
		assert.equal(out.broken, 1);
		assert.equal(out.stdout, Buffer.from("a").toString("hex"));
	}
});

test("any bytes at all are read without a throw", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			read([Buffer.from(bytes)]);
		}),
	);
});
