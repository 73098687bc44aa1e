import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { systemClock } from "../lib/clock.ts";
import { LogSink } from "./log-sink.ts";

let folder: string;
let file: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-log-"));
	file = join(folder, "gateway.log");
});
afterEach(() => rm(folder, { recursive: true }));

/** A pipe with a name, opened so that neither end blocks; the test owns both ends. */
async function openPipe(): Promise<{ reader: number; writer: number }> {
	const path = join(folder, "pipe");
	const [code] = (await once(spawn("mkfifo", [path]), "exit")) as [number];
	assert.equal(code, 0);
	const nonblock = 0o4000;
	const reader = openSync(path, nonblock);
	return { reader, writer: openSync(path, 1 | nonblock) };
}

describe("a log sink", () => {
	it("writes lines in order to a file that only this user can read", async () => {
		const sink = new LogSink({ clock: systemClock, target: file });
		const lines = Array.from({ length: 1000 }, (_, n) => `line ${n} ü\n`);
		for (const line of lines) sink.write(line);
		await sink.flush();
		assert.equal(readFileSync(file, "utf8"), lines.join(""));
		assert.equal((await stat(file)).mode & 0o777, 0o600);
		await sink.close();
	});

	it("appends to what is there", async () => {
		await writeFile(file, "before\n");
		const sink = new LogSink({ clock: systemClock, target: file });
		sink.write("after\n");
		await sink.close();
		assert.equal(readFileSync(file, "utf8"), "before\nafter\n");
	});

	it("drops what comes after it was closed", async () => {
		const sink = new LogSink({ clock: systemClock, target: file });
		await sink.close();
		sink.write("late\n");
		await sink.flush();
		await sink.close();
		assert.equal(readFileSync(file, "utf8"), "");
	});

	it("throws when the file cannot be opened", () => {
		const target = join(folder, "missing", "file");
		assert.throws(() => new LogSink({ clock: systemClock, target }), { code: "ENOENT" });
	});

	it("writes everything before flushNow returns", () => {
		const sink = new LogSink({ clock: systemClock, target: file });
		sink.write("one\n");
		sink.write("two\n");
		sink.flushNow();
		// The first line was on its way already, and may come a second time.
		assert.match(readFileSync(file, "utf8"), /^(one\n)+two\n(one\n)?$/);
	});

	it("waits for a slow reader, drops what is too much, and tells how much that was", async () => {
		const { reader, writer } = await openPipe();
		const sink = new LogSink({ clock: systemClock, target: writer, waiting_bytes_max: 100_000 });
		sink.onDropped = (lines) => sink.write(`dropped ${lines}\n`);
		const line = `${"x".repeat(999)}\n`;
		for (let n = 0; n < 400; n += 1) sink.write(line);
		// The first line is on its way alone; a hundred wait; the rest is too much.
		const flushed = sink.flush().then(() => true);
		let text = "";
		for (let done = false; !done; ) {
			// Asked before reading, so that what the last write left is read too.
			done = await Promise.race([flushed, turn()]);
			text += readAll(reader);
		}
		assert.equal(text.replaceAll(line, "."), `${".".repeat(101)}dropped 299\n`);
		await sink.close();
		closeSync(reader);
		closeSync(writer);
	});

	it("waits for room on a disk that is full, and goes on where it stopped", async (t) => {
		// A file that may not grow takes a part of a write and refuses the rest, as a full disk does.
		const allow = (bytes: string) =>
			spawnSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:unlimited`]).status;
		if (allow("4096") !== 0) return t.skip("nothing here limits how large a file gets");
		t.after(() => allow("unlimited"));
		const clock = new FakeClock();
		const sink = new LogSink({ clock, target: file, waiting_bytes_max: 20_000 });
		const line = `${"x".repeat(999)}\n`;
		sink.write(line);
		for (let n = 0; n < 5; n += 1) sink.write(`${line}${line}`);
		while (readFileSync(file, "utf8").length < 4096) await turn();
		for (let n = 0; n < 10; n += 1) sink.write(`${line}${line}`);
		assert.equal(sink.lines_lost, 0);
		sink.write(`${line}${line}`);
		assert.equal(sink.lines_lost, 2, "each line is counted, not each piece");
		allow("unlimited");
		await clock.advance(1_000);
		await sink.close();
		assert.equal(readFileSync(file, "utf8"), line.repeat(31));
	});

	it("does not keep a flush waiting for a reader that takes nothing", async () => {
		const { reader, writer } = await openPipe();
		const clock = new FakeClock();
		const sink = new LogSink({ clock, target: writer });
		sink.write("x".repeat(1_000_000));
		let flushed = false;
		const flush = sink.flush().then(() => {
			flushed = true;
		});
		while (!flushed) await clock.advance(20);
		await flush;
		assert.equal(clock.monotonic(), 2_000);
		closeSync(reader);
		closeSync(writer);
	});

	it("drops everything, counts it and says so once, when the reader is gone", async () => {
		const { reader, writer } = await openPipe();
		const sink = new LogSink({ clock: systemClock, target: writer });
		const gone: string[] = [];
		sink.onGone = (code) => gone.push(code);
		closeSync(reader);
		sink.write("nobody reads this\n");
		await sink.flush();
		sink.write("nor this\nnor that\n");
		assert.deepEqual([gone, sink.lines_lost], [["EPIPE"], 3]);
		sink.flushNow();
		await sink.close();
		closeSync(writer);
	});
});

/** Everything that is in a pipe now. */
function readAll(reader: number): string {
	const chunk = Buffer.alloc(65_536);
	let text = "";
	for (;;) {
		try {
			text += chunk.toString("utf8", 0, readSync(reader, chunk));
		} catch (error) {
			assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
			return text;
		}
	}
}

/** One turn of the event loop; resolves with false. */
function turn(): Promise<false> {
	return new Promise((resolve) => {
		setImmediate(() => resolve(false));
	});
}
