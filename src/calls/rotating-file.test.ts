import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { RotatingFile } from "./rotating-file.ts";

const names = (folder: string) => readdirSync(folder).sort();
const linesOf = (folder: string) =>
	readFileSync(join(folder, "calls.ndjson"), "utf8")
		.split("\n")
		.map((line) => (line === "" ? "" : (JSON.parse(line) as { n: number }).n));

function open(folder: string, at: { ms: number } = { ms: 0 }, file_bytes_max = 1e9) {
	return new RotatingFile({ folder, file_bytes_max, files_max: 3, now: () => at.ms });
}

const line = (n: number) => Buffer.from(`${JSON.stringify({ n, filling: "x".repeat(90) })}\n`);

test("a disk that is full in the middle of lines has whole lines only, before and after", async (t) => {
	if (process.platform === "win32") return t.skip("nothing there limits how large a file gets");
	const folder = await tempFolder(t);
	// A file that may not grow further takes a part of a write, and refuses the rest, as a full
	// disk does.
	const script = `
		const { RotatingFile } = await import(${JSON.stringify(import.meta.resolve("./rotating-file.ts"))});
		const file = new RotatingFile({ folder: ${JSON.stringify(folder)}, file_bytes_max: 1e9, files_max: 3, now: Date.now });
		const line = (n) => JSON.stringify({ n, filling: "x".repeat(90) }) + "\\n";
		file.write(Buffer.from(line(0)));
		try {
			file.write(Buffer.from(Array.from({ length: 100 }, (_, n) => line(n + 1)).join("")));
		} catch (error) {
			console.log(error.code);
		}
	`;
	const node = [process.execPath, "--input-type=module", "--eval", script];
	const child = spawnSync("sh", ["-c", 'ulimit -f 8 && exec "$@"', "sh", ...node]);
	assert.equal(child.stdout.toString().trim(), "EFBIG", child.stderr.toString());
	assert.deepEqual(linesOf(folder), [0, ""]);
	open(folder).write(line(7));
	assert.deepEqual(linesOf(folder), [0, 7, ""]);
});

test("a line that a crash has cut short goes, and the next stands on a line of its own", async (t) => {
	for (const torn of ['{"n":2', "{", "x".repeat(2_000)]) {
		const folder = await tempFolder(t);
		open(folder).write(line(1));
		appendFileSync(join(folder, "calls.ndjson"), torn);
		open(folder).write(line(3));
		assert.deepEqual(linesOf(folder), [1, 3, ""]);
	}
	const folder = await tempFolder(t);
	writeFileSync(join(folder, "calls.ndjson"), '{"n":');
	open(folder).write(line(1));
	assert.deepEqual(linesOf(folder), [1, ""]);
});

test("of files of one millisecond, and of a clock that was ahead, the oldest go first", async (t) => {
	const folder = await tempFolder(t);
	const day_ms = 24 * 3_600_000;
	const at = { ms: 365 * day_ms };
	const file = open(folder, at, 1);
	for (let n = 0; n < 4; n += 1) file.write(line(n));
	assert.deepEqual(names(folder), [
		"calls-19710101T000000000Z-2.ndjson",
		"calls-19710101T000000000Z-3.ndjson",
	]);
	at.ms = day_ms;
	file.write(line(4));
	assert.deepEqual(names(folder), [
		"calls-19700102T000000000Z.ndjson",
		"calls-19710101T000000000Z-3.ndjson",
	]);
	at.ms += 1;
	file.write(line(5));
	assert.deepEqual(names(folder), [
		"calls-19700102T000000000Z.ndjson",
		"calls-19700102T000000001Z.ndjson",
	]);
});
