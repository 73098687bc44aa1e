import assert from "node:assert/strict";
import {
	cpSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { ChainWriter } from "./chain-writer.ts";
import { type Disk, system_disk } from "./disk.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { checkpoint_name, head_name } from "./segments.ts";
import { signerOf } from "./signing-key.ts";
import { uploadLog } from "./upload.ts";
import { verifyLog } from "./verify.ts";

const signer = signerOf(Buffer.alloc(32, 7));
const now = () => Date.UTC(2026, 0, 1);
/** What a disk writes as one. */
const sector_bytes = 512;

function place(context: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "moorage-room-ahead-"));
	context.after(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, "audit");
}

function open(folder: string, disk: Disk = system_disk, segment_bytes_max = 1_000_000) {
	return new ChainWriter({ folder, disk, signer, now, segment_bytes_max });
}

function verify(folder: string) {
	const present: unknown[] = [];
	const found = verifyLog(folder, {
		disk: system_disk,
		verifier: signer.verifier,
		onEntry: (_, { n }) => n !== undefined && present.push(n),
	});
	return { ...found, present };
}

function segmentsIn(folder: string): string[] {
	const names = readdirSync(folder).filter((name) => name.endsWith(".log"));
	return names.sort().map((name) => join(folder, name));
}

function lastSegment(folder: string): { path: string; bytes: Buffer; lines_end: number } {
	const path = segmentsIn(folder).at(-1) ?? "";
	const bytes = readFileSync(path);
	return { path, bytes, lines_end: bytes.lastIndexOf("\n") + 1 };
}

const call = (n: number) => JSON.stringify({ kind: "call", n, text: "x".repeat(100) });

test("zeroes stand ahead of a log that is written to, and none in one that is closed", (context) => {
	const folder = place(context);
	const writer = open(folder, system_disk, 10_000);
	const sizes = new Set<number>();
	for (let n = 0; n < 100; n += 1) {
		writer.append(() => [call(n)]);
		sizes.add(statSync(lastSegment(folder).path).size);
	}
	assert.ok(segmentsIn(folder).length > 2);
	assert.ok(sizes.size < 10, "most appends leave the file as long as it is");
	assert.ok(lastSegment(folder).bytes.includes(0));
	for (const path of segmentsIn(folder).slice(0, -1)) assert.ok(!readFileSync(path).includes(0));
	const { problem, torn_bytes, present } = verify(folder);
	assert.deepEqual([problem, torn_bytes, present.length], [undefined, 0, 100]);
	writer.close();
	for (const path of segmentsIn(folder)) assert.ok(!readFileSync(path).includes(0));
	assert.equal(verify(folder).problem, undefined);
});

test("a start after a kill goes on in the zeroes, and puts nothing aside", (context) => {
	const folder = place(context);
	const writer = open(folder);
	writer.append(() => [call(1)]);
	const { size } = statSync(lastSegment(folder).path);
	const next = open(folder);
	next.append(() => [call(2)]);
	assert.equal(statSync(lastSegment(folder).path).size, size);
	assert.ok(!readdirSync(folder).some((name) => name.startsWith("torn-")));
	assert.ok(!lastSegment(folder).bytes.includes('"torn_bytes"'));
	assert.deepEqual([verify(folder).problem, verify(folder).present], [undefined, [1, 2]]);
	next.close();
	writer.close();
});

test("of a log that was killed each altered byte is found; behind its end it is told", (context) => {
	const folder = place(context);
	const writer = open(folder, system_disk, 4_000);
	for (let n = 0; n < 3; n += 1) writer.append(() => [call(n)]);
	const { path, bytes, lines_end } = lastSegment(folder);
	assert.ok(bytes.length - lines_end > 2_000);
	for (let at = 0; at < bytes.length; at += at > lines_end + 50 ? 61 : 1) {
		for (const value of [(bytes[at] as number) ^ 1, 0, 0x0a]) {
			if (value === bytes[at]) continue;
			const altered = Buffer.from(bytes);
			altered[at] = value;
			writeFileSync(path, altered);
			const { problem, torn_bytes } = verify(folder);
			if (at < lines_end) assert.ok(problem, `byte ${at} of the log is ${value}`);
			// A line break there is an empty line, which is no entry.
			else if (at === lines_end && value === 0x0a) assert.equal(problem?.kind, "altered");
			// The zeroes are no part of the log: what stands there takes nothing from it.
			else assert.deepEqual([problem, torn_bytes], [undefined, at + 1 - lines_end]);
		}
	}
	writeFileSync(path, bytes);
	writer.close();
});

test("zeroes in what was on the disk are named, and nothing is cut off there by a start", (context) => {
	const folder = place(context);
	const writer = open(folder);
	for (let n = 0; n < 6; n += 1) writer.append(() => [call(n)]);
	const { path, bytes } = lastSegment(folder);
	const at = bytes.indexOf('"n":2,');
	bytes.fill(0, at, at + 20);
	writeFileSync(path, bytes);
	const before = verify(folder).problem;
	assert.deepEqual([before?.kind, before?.seq], ["altered", 5]);
	open(folder).close();
	assert.ok(lastSegment(folder).bytes.includes('"n":5,'), "what stands behind is still there");
	assert.deepEqual(verify(folder).problem, before);
	writer.close();
});

test("an append of which a failing machine wrote some parts and not others is no alarm", (context) => {
	const folder = place(context);
	const lost = fc.array(fc.nat(12), { minLength: 1, maxLength: 12 });
	const property = fc.property(fc.nat(6), fc.nat(10), lost, (before, torn, sectors) => {
		rmSync(folder, { recursive: true, force: true });
		const writer = open(folder, system_disk, 20_000);
		for (let n = 0; n < before; n += 1) writer.append(() => [call(n)]);
		const acknowledged = Array.from({ length: before }, (_, n) => n);
		// Neither is written before an append is on the disk.
		const beside = [checkpoint_name, head_name].map((name) => join(folder, name));
		const signed = beside.map((file) => readFileSync(file));
		const was = lastSegment(folder).bytes;
		writer.append(() => Array.from({ length: torn + 1 }, (_, n) => call(100 + n)));
		const { path, bytes } = lastSegment(folder);
		const first = Math.floor(was.lastIndexOf("\n") / sector_bytes);
		for (const sector of sectors) {
			const from = (first + sector) * sector_bytes;
			was.copy(bytes, from, from, from + sector_bytes);
		}
		writeFileSync(path, bytes);
		for (const [n, file] of beside.entries()) writeFileSync(file, signed[n] as Buffer);
		for (const started of [false, true]) {
			if (started) open(folder, system_disk, 20_000).close();
			const { problem, present } = verify(folder);
			assert.equal(problem, undefined);
			assert.deepEqual(present.slice(0, before), acknowledged);
		}
		assert.equal(verify(folder).torn_bytes, 0);
		writer.close();
	});
	fc.assert(property, { numRuns: 100 });
});

test("a disk without room for zeroes takes entries, and keeps what room there is", (context) => {
	const folder = place(context);
	const disk: Disk = {
		...system_disk,
		writeAt(file, bytes, position) {
			const half = bytes.subarray(0, bytes.length >> 1);
			if (bytes.length > 5_000) {
				system_disk.writeAt(file, half, position);
				throw Object.assign(new Error("full"), { code: "ENOSPC" });
			}
			system_disk.writeAt(file, bytes, position);
		},
	};
	const writer = open(folder, disk);
	for (let n = 0; n < 3; n += 1) writer.append(() => [call(n)]);
	assert.ok(!lastSegment(folder).bytes.includes(0));
	assert.deepEqual([verify(folder).problem, verify(folder).present], [undefined, [0, 1, 2]]);
	writer.close();
});

test("an upload of a log that is written to has its lines, and no zeroes", async (context) => {
	const folder = place(context);
	const writer = open(folder);
	writer.append(() => [call(1)]);
	// Copied in the middle of an append: behind zeroes stands a part of it.
	const copy = join(folder, "..", "copy");
	cpSync(folder, copy, { recursive: true });
	const { path, bytes, lines_end } = lastSegment(copy);
	bytes.write("a part of an append\n", lines_end + 4_096);
	writeFileSync(path, bytes);
	for (const from of [folder, copy]) {
		const objects = new Map<string, Buffer>();
		const bucket = {
			has: () => Promise.resolve(false),
			put: (key: string, body: Buffer) => Promise.resolve(objects.set(key, body)),
		} as unknown as S3Bucket;
		await uploadLog(from, "", { disk: system_disk, bucket, lock: undefined });
		const [log] = [...objects.keys()].filter((key) => key.endsWith(".log"));
		assert.equal(log, `000000000001-${lines_end}.log`);
		assert.deepEqual(objects.get(log ?? ""), bytes.subarray(0, lines_end));
	}
	writer.close();
});
