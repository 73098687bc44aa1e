import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { ChainWriter } from "./chain-writer.ts";
import { type Disk, system_disk } from "./disk.ts";
import { checkpoint_name, head_name } from "./segments.ts";
import { signerOf } from "./signing-key.ts";
import { type Verification, verifyLog } from "./verify.ts";

const signer = signerOf(Buffer.alloc(32, 7));
const now = () => Date.UTC(2026, 0, 1);

function place(context: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "moorage-audit-"));
	context.after(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, "audit");
}

function open(folder: string, disk: Disk = system_disk, segment_bytes_max = 1_000_000) {
	return new ChainWriter({ folder, disk, signer, now, segment_bytes_max });
}

function verify(folder: string): Verification {
	return verifyLog(folder, { disk: system_disk, verifier: signer.verifier });
}

/** A log with entries of their own, closed. */
function write(folder: string, entries: number, segment_bytes_max = 1_000_000, from = 0): void {
	const writer = open(folder, system_disk, segment_bytes_max);
	for (let n = 0; n < entries; n += 1) {
		writer.append(() => [JSON.stringify({ kind: "call", n: from + n, text: "ünï" })]);
	}
	writer.close();
}

function segmentsOf(folder: string): string[] {
	return readdirSync(folder)
		.filter((name) => name.endsWith(".log"))
		.sort()
		.map((name) => join(folder, name));
}

/** Changes the lines of the only segment. */
function edit(folder: string, change: (lines: string[]) => string[]): void {
	const [path = ""] = segmentsOf(folder);
	const lines = readFileSync(path, "utf8").trimEnd().split("\n");
	writeFileSync(path, `${change(lines).join("\n")}\n`);
}

test("what was written verifies, over many segments and starts", (context) => {
	const folder = place(context);
	for (let start = 0; start < 3; start += 1) write(folder, 20, 1_000);
	const found = verify(folder);
	assert.equal(found.problem, undefined);
	assert.equal(found.first_seq, 1);
	// Each start says so, and each end signs.
	assert.equal(found.last_seq, 3 * 22 + 1);
	assert.equal(found.attested_seq, found.last_seq);
	assert.ok(segmentsOf(folder).length > 5);
});

test("the first altered, missing or reordered entry is named", (context) => {
	const cases: [string, (lines: string[]) => string[], string, number][] = [
		["a word", (lines) => lines.with(4, (lines[4] ?? "").replace("ünï", "uni")), "altered", 5],
		["one away", (lines) => lines.toSpliced(6, 1), "missing", 7],
		["three away", (lines) => lines.toSpliced(2, 3), "missing", 3],
		["the first away", (lines) => lines.slice(1), "missing", 1],
		["swapped", (l) => l.with(3, l[4] ?? "").with(4, l[3] ?? ""), "reordered", 4],
		["doubled", (lines) => lines.toSpliced(5, 0, lines[4] ?? ""), "reordered", 6],
		["the end away", (lines) => lines.slice(0, -2), "missing", 12],
	];
	for (const [name, change, kind, seq] of cases) {
		const folder = place(context);
		write(folder, 10);
		edit(folder, change);
		const { problem } = verify(folder);
		assert.equal(problem?.kind, kind, name);
		assert.equal(problem.seq, seq, name);
	}
});

test("an entry that was exchanged for a whole one is named, not the one behind it", (context) => {
	const folder = place(context);
	write(folder, 10);
	const other = place(context);
	write(other, 10, 1_000_000, 100);
	const [path = ""] = segmentsOf(other);
	const strange = readFileSync(path, "utf8").split("\n")[4] as string;
	edit(folder, (lines) => lines.with(4, strange));
	assert.equal(verify(folder).problem?.seq, 5);
});

test("a log that was written anew without the key is told by its checkpoint", (context) => {
	const folder = place(context);
	write(folder, 10);
	const forged = place(context);
	const thief = signerOf(Buffer.alloc(32, 9));
	const options = { disk: system_disk, signer: thief, now, segment_bytes_max: 1_000_000 };
	const writer = new ChainWriter({ folder: forged, ...options });
	writer.append(() => [JSON.stringify({ kind: "call", n: "forged" })]);
	writer.close();
	assert.equal(verify(forged).problem?.kind, "unsigned");
	// Nor does it help to leave the signed file beside it.
	const note = readFileSync(join(folder, checkpoint_name));
	writeFileSync(join(forged, checkpoint_name), note);
	assert.ok(verify(forged).problem);
});

test("a segment, the checkpoint or the head that is taken away is missed", (context) => {
	const folder = place(context);
	write(folder, 40, 1_000);
	const paths = segmentsOf(folder);
	for (const path of [...paths, join(folder, checkpoint_name), join(folder, head_name)]) {
		const bytes = readFileSync(path);
		rmSync(path);
		assert.ok(verify(folder).problem, `${path} is missed`);
		writeFileSync(path, bytes);
	}
	assert.equal(verify(folder).problem, undefined);
});

test("any byte that is changed, anywhere, is found", (context) => {
	const folder = place(context);
	write(folder, 12, 1_500);
	const beside = [join(folder, checkpoint_name), join(folder, head_name)];
	const files = [...segmentsOf(folder), ...beside];
	const originals = files.map((path) => readFileSync(path));
	const property = fc.property(
		fc.nat(files.length - 1),
		fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
		fc.integer({ min: 1, max: 255 }),
		(file, where, flip) => {
			const bytes = Buffer.from(originals[file] as Buffer);
			const at = Math.floor(where * bytes.length);
			bytes[at] = (bytes[at] as number) ^ flip;
			writeFileSync(files[file] as string, bytes);
			const found = verify(folder);
			writeFileSync(files[file] as string, originals[file] as Buffer);
			assert.ok(found.problem !== undefined, `byte ${at} of file ${file}`);
		},
	);
	fc.assert(property, { numRuns: 600 });
	assert.equal(verify(folder).problem, undefined);
});

test("an append that stops at any byte leaves a prefix that verifies, and goes on", (context) => {
	const folder = place(context);
	const writer = open(folder);
	writer.append(() => [JSON.stringify({ kind: "call", n: 1 })]);
	writer.checkpoint();
	const [path = ""] = segmentsOf(folder);
	// Neither is written before an append is on the disk.
	const beside = [checkpoint_name, head_name].map((name) => join(folder, name));
	const signed = beside.map((file) => readFileSync(file));
	const before = readFileSync(path);
	writer.append(() => [1, 2, 3].map((n) => JSON.stringify({ kind: "call", n, text: "é" })));
	const after = readFileSync(path);
	const [begin, end] = [before.lastIndexOf("\n") + 1, after.lastIndexOf("\n") + 1];
	for (let length = begin; length <= end; length += 7) {
		for (const [n, file] of beside.entries()) writeFileSync(file, signed[n] as Buffer);
		// By turns with the zeroes behind it that were there already, and cut off.
		const stopped = Buffer.alloc(length % 2 === 0 ? length : after.length);
		after.copy(stopped, 0, 0, length);
		writeFileSync(path, stopped);
		const crashed = verify(folder);
		assert.equal(crashed.problem, undefined);
		assert.ok(crashed.last_seq >= 4);
		open(folder).close();
		const { problem, torn_bytes } = verify(folder);
		assert.equal(problem, undefined);
		assert.equal(torn_bytes, 0);
	}
});

test("entries that a checkpoint attests and that are gone stay missed after a start", (context) => {
	const folder = place(context);
	write(folder, 10);
	edit(folder, (lines) => lines.slice(0, 5));
	write(folder, 10);
	const { problem } = verify(folder);
	assert.equal(problem?.kind, "missing");
	assert.equal(problem.seq, 6);
});

test("a write that fails leaves the log as it was, and the next one goes on", (context) => {
	const folder = place(context);
	let fails: "write" | "sync" | "truncate" | undefined;
	const full = () => Object.assign(new Error("full"), { code: "ENOSPC" });
	const disk: Disk = {
		...system_disk,
		writeAt(file, bytes, position) {
			if (fails === "write" || fails === "truncate") {
				system_disk.writeAt(file, bytes.subarray(0, bytes.length >> 1), position);
				throw full();
			}
			system_disk.writeAt(file, bytes, position);
		},
		sync(file) {
			if (fails === "sync") throw full();
			system_disk.sync(file);
		},
		truncate(file, length) {
			if (fails === "truncate") throw full();
			system_disk.truncate(file, length);
		},
	};
	const writer = open(folder, disk);
	const append = (n: number) => writer.append(() => [JSON.stringify({ kind: "call", n })]);
	append(1);
	for (const what of ["write", "sync", "truncate"] as const) {
		fails = what;
		assert.throws(() => append(2), /full/);
		fails = undefined;
		append(3);
	}
	writer.close();
	const entries: unknown[] = [];
	const { problem } = verifyLog(folder, {
		disk: system_disk,
		verifier: signer.verifier,
		onEntry: (_, entry) => entries.push(entry["n"] ?? entry["kind"]),
	});
	assert.equal(problem, undefined);
	assert.deepEqual(entries, ["start", "checkpoint", 1, 3, 3, "start", 3, "checkpoint"]);
});

test("old segments go, the log says so, and what is left verifies", (context) => {
	const folder = place(context);
	write(folder, 60, 1_000);
	const writer = open(folder, system_disk, 1_000);
	const before = segmentsOf(folder).length;
	assert.ok(writer.prune(40) > 0);
	writer.append(() => [JSON.stringify({ kind: "call" })]);
	writer.close();
	assert.ok(segmentsOf(folder).length < before);
	const found = verify(folder);
	assert.equal(found.problem, undefined);
	assert.ok(found.first_seq > 1 && found.first_seq <= 40);
	rmSync(segmentsOf(folder)[0] as string);
	assert.equal(verify(folder).problem?.kind, "missing");
});

test("a log that was let go of up to a checkpoint begins with it, and verifies", (context) => {
	const folder = place(context);
	const writer = open(folder, system_disk, 400);
	for (let n = 0; n < 20; n += 1) {
		writer.append(() => [JSON.stringify({ kind: "call", n, text: "x".repeat(400) })]);
		writer.checkpoint();
	}
	const first = segmentsOf(folder).findLast((path) => {
		return readFileSync(path, "utf8").split(" ")[3]?.startsWith('{"kind":"checkpoint"');
	});
	assert.ok(first !== undefined, "a segment begins with a checkpoint");
	writer.prune(Number(basename(first, ".log")));
	writer.close();
	assert.equal(segmentsOf(folder)[0], first);
	assert.equal(verify(folder).problem, undefined);
});

test("intents that nothing followed are told", (context) => {
	const folder = place(context);
	const writer = open(folder);
	const entry = (kind: string, call: string) => JSON.stringify({ kind, call, at_ms: 5 });
	writer.append(() => [entry("intent", "a"), entry("intent", "b"), entry("outcome", "a")]);
	writer.append(() => [JSON.stringify({ kind: "lost", entries: 3 })]);
	writer.close();
	const { unknown_fates, lost } = verify(folder);
	assert.deepEqual(
		unknown_fates.map(({ call }) => call),
		["b"],
	);
	assert.equal(lost, 3);
});
