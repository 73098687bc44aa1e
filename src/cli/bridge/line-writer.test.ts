import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { LineWriter } from "./line-writer.ts";

/** A stream that takes one write at a time, when the test lets it. */
function slowStream() {
	const taken: string[] = [];
	const waiting: (() => void)[] = [];
	const stream = new Writable({
		highWaterMark: 4,
		write(chunk: Buffer, _encoding, done) {
			taken.push(chunk.toString());
			waiting.push(done);
		},
	});
	const next = async () => {
		waiting.shift()?.();
		await new Promise((resolve) => setImmediate(resolve));
	};
	return { stream, taken, next };
}

test("a message becomes one line, line breaks between its tokens included", async () => {
	const stream = new PassThrough();
	await new LineWriter(stream).write(Buffer.from('{"a":\r\n1}'));
	assert.equal(String(stream.read()), '{"a":  1}\n');
});

test("a writer resolves when the stream has room again", async () => {
	const { stream, taken, next } = slowStream();
	const writer = new LineWriter(stream);
	const done: number[] = [];
	const writes = [1, 2].map((number) =>
		writer.write(Buffer.from(`"line ${number}"`)).then(() => done.push(number)),
	);
	await next();
	assert.deepEqual(done, []);
	await next();
	await Promise.all(writes);
	assert.deepEqual(taken, ['"line 1"\n', '"line 2"\n']);
});

test("flush waits for a stream that is full, and not for one that is not", async () => {
	const { stream, next } = slowStream();
	const writer = new LineWriter(stream);
	await writer.flush();
	void writer.write(Buffer.from('"long enough"'));
	let flushed = false;
	const flushing = writer.flush().then(() => {
		flushed = true;
	});
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(flushed, false);
	await next();
	await flushing;
});

test("a stream that is gone ends every wait and takes nothing more", async () => {
	const { stream, taken } = slowStream();
	const writer = new LineWriter(stream);
	const waiting = writer.write(Buffer.from('"waits"'));
	assert.equal(writer.broken.aborted, false);
	stream.destroy();
	await waiting;
	assert.equal(writer.broken.aborted, true);
	await writer.write(Buffer.from('"never"'));
	await writer.flush();
	assert.deepEqual(taken, ['"waits"\n']);
});

test("an error of the stream, such as a closed pipe, is not an exception", async () => {
	const stream = new Writable({
		write: (_chunk, _encoding, done) => done(Object.assign(new Error("x"), { code: "EPIPE" })),
	});
	const writer = new LineWriter(stream);
	await writer.write(Buffer.from("1"));
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(writer.broken.aborted, true);
});
