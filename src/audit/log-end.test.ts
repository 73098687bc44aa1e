import assert from "node:assert/strict";
import {
	closeSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { type ChainHead, empty_head, LineBuffer } from "./chain.ts";
import { ChainWriter } from "./chain-writer.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { type Disk, system_disk } from "./disk.ts";
import { checkpoint_name, head_name, segmentName } from "./segments.ts";
import { signerOf } from "./signing-key.ts";
import { verifyLog } from "./verify.ts";

const signer = signerOf(Buffer.alloc(32, 7));
const now = () => Date.UTC(2026, 0, 1);
const slot_bytes = 512;

/** Nothing here depends on what a power failure would take: the machine's own memory is enough. */
const quick_disk: Disk = {
	...system_disk,
	sync: () => undefined,
	syncFolder: () => undefined,
	replace(path, text) {
		writeFileSync(`${path}.new`, text);
		renameSync(`${path}.new`, path);
	},
};

/** A disk of a process that is killed at its n-th change, of which `share` is done still. */
class DyingDisk {
	readonly disk: Disk;
	readonly #opened = new Set<number>();
	#changes_left: number;

	constructor(changes: number, share: number) {
		this.#changes_left = changes;
		const change = (act: () => void, last?: () => void): void => {
			if (this.#changes_left > 0) act();
			else if (this.#changes_left === 0) last?.();
			this.#changes_left -= 1;
			if (this.#changes_left < 0) throw new Error("killed");
		};
		const opening = (open: (path: string) => number) => (path: string) => {
			let file = -1;
			change(() => {
				file = open(path);
				this.#opened.add(file);
			});
			return file;
		};
		this.disk = {
			...quick_disk,
			open: opening(quick_disk.open),
			openInPlace: opening(quick_disk.openInPlace),
			writeAt(file, bytes, position) {
				// A slot of the head is written whole.
				const whole = bytes.length === slot_bytes;
				const part = bytes.subarray(0, whole ? 0 : Math.floor(bytes.length * share));
				change(
					() => quick_disk.writeAt(file, bytes, position),
					() => quick_disk.writeAt(file, part, position),
				);
			},
			truncate(file, length) {
				change(() => quick_disk.truncate(file, length));
			},
			replace(path, text) {
				const part = Buffer.from(text as string).subarray(0, 5);
				change(
					() => quick_disk.replace(path, text),
					() => writeFileSync(`${path}.new`, part),
				);
			},
			remove: (path) => change(() => quick_disk.remove(path)),
			sync: () => change(() => undefined),
			close: () => undefined,
		};
	}

	get is_dead(): boolean {
		return this.#changes_left < 0;
	}

	/** What the system does for a process that has ended. */
	bury(): void {
		for (const file of this.#opened) closeSync(file);
	}
}

type Step = "append" | "many" | "checkpoint" | "prune" | "restart";
const steps = fc.array(
	fc.oneof(
		{ weight: 6, arbitrary: fc.constantFrom<Step>("append", "many") },
		{ weight: 2, arbitrary: fc.constantFrom<Step>("checkpoint", "prune", "restart") },
	),
	{ maxLength: 12 },
);

function place(context: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "moorage-log-end-"));
	context.after(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, "audit");
}

function open(folder: string, disk: Disk = quick_disk) {
	return new ChainWriter({ folder, disk, signer, now, segment_bytes_max: 1_500 });
}

function call(n: number): string {
	return JSON.stringify({ kind: "call", n });
}

/** The log of a folder, and which of the entries of `call` are in it. */
function verify(folder: string) {
	const present = new Set<unknown>();
	const found = verifyLog(folder, {
		disk: quick_disk,
		verifier: signer.verifier,
		onEntry: (_, { n }) => present.add(n),
	});
	return { ...found, present };
}

/** A gateway's audit does some steps and is killed; returns what it was told was written. */
function runUntilKilled(folder: string, plan: readonly Step[], dying: DyingDisk): Set<number> {
	const acknowledged = new Set<number>();
	let number = 0;
	try {
		let writer = open(folder, dying.disk);
		for (const step of plan) {
			if (step === "append" || step === "many") {
				const entries = Array.from({ length: step === "many" ? 4 : 1 }, () => number++);
				writer.append(() => entries.map(call));
				for (const entry of entries) acknowledged.add(entry);
			} else if (step === "checkpoint") {
				writer.checkpoint();
			} else if (step === "prune") {
				if (writer.prune(writer.head.seq - 6) > 0) acknowledged.clear();
			} else {
				writer.close();
				writer = open(folder, dying.disk);
			}
			// An error of the head alone is swallowed: the entries are on the disk.
			if (dying.is_dead) break;
		}
	} catch (error) {
		assert.match(String(error), /killed/);
	} finally {
		dying.bury();
	}
	return acknowledged;
}

test("a kill at any change to the disk is no alarm, before and after the next start", (context) => {
	const folder = place(context);
	let cut = 0;
	const property = fc.property(
		steps,
		fc.nat(90),
		fc.constantFrom(0, 0.3, 1),
		fc.nat(12),
		(plan, changes, share, second) => {
			rmSync(folder, { recursive: true, force: true });
			const acknowledged = runUntilKilled(folder, plan, new DyingDisk(changes, share));
			for (const started of [false, true, true]) {
				// The start after a kill may itself be killed.
				if (started) runUntilKilled(folder, [], new DyingDisk(second, share));
				const { problem, present, torn_heads, torn_bytes } = verify(folder);
				assert.equal(problem, undefined);
				assert.equal(torn_heads, 0);
				for (const n of acknowledged) assert.ok(present.has(n), `entry ${n}`);
				if (torn_bytes > 0) cut += 1;
			}
			open(folder).close();
			assert.equal(verify(folder).problem, undefined);
		},
	);
	fc.assert(property, { numRuns: 200 });
	assert.ok(cut > 0, "some appends were cut");
});

/** A segment without the zeroes that were written ahead. */
function textIn(path: string): string {
	return readFileSync(path, "utf8").replace(/\0+$/u, "");
}

/** Every line of a log with its file, in order. */
function linesIn(folder: string): { path: string; lines: string[] }[] {
	return readdirSync(folder)
		.filter((name) => name.endsWith(".log"))
		.sort()
		.map((name) => {
			const path = join(folder, name);
			return { path, lines: textIn(path).trimEnd().split("\n") };
		});
}

/** Takes so many lines away at the end of a log. */
function cutTail(folder: string, count: number): void {
	let left = count;
	for (const { path, lines } of linesIn(folder).reverse()) {
		if (left <= 0) return;
		const kept = lines.slice(0, Math.max(0, lines.length - left));
		left -= lines.length;
		if (kept.length === 0) rmSync(path);
		else writeFileSync(path, `${kept.join("\n")}\n`);
	}
}

/** What somebody does to the files beside the log to hide that its end is gone. */
const cover_ups: readonly ((folder: string) => void)[] = [
	() => undefined,
	(folder) => rmSync(join(folder, head_name)),
	(folder) => rmSync(join(folder, checkpoint_name)),
	(folder) => {
		rmSync(join(folder, head_name));
		rmSync(join(folder, checkpoint_name));
	},
	(folder) => writeFileSync(join(folder, head_name), ""),
	(folder) => writeFileSync(join(folder, checkpoint_name), ""),
];

test("entries cut off the end are missed while it runs, after a kill, and ever after", (context) => {
	const folder = place(context);
	const property = fc.property(
		fc.integer({ min: 1, max: 12 }),
		fc.integer({ min: 1, max: 40 }),
		fc.nat(cover_ups.length - 1),
		fc.boolean(),
		(entries, count, cover_up, has_checkpoint) => {
			rmSync(folder, { recursive: true, force: true });
			const writer = open(folder);
			for (let n = 0; n < entries; n += 1) writer.append(() => [call(n)]);
			if (has_checkpoint) writer.checkpoint();
			writer.append(() => [call(entries)]);
			// Neither closed nor signed by a checkpoint: it runs, or was killed.
			assert.equal(verify(folder).problem, undefined);
			assert.equal(verify(folder).attested_seq, writer.head.seq);
			// One entry that is no beginning stays: what is left without any is a log that never was.
			cutTail(folder, Math.min(count, entries));
			cover_ups[cover_up]?.(folder);
			assert.ok(verify(folder).problem, "before a start");
			open(folder).close();
			assert.ok(verify(folder).problem, "after a start");
			open(folder).close();
			assert.ok(verify(folder).problem, "after another start");
			writer.close();
		},
	);
	fc.assert(property, { numRuns: 100 });
});

test("an end that was written anew is told, also after a start", (context) => {
	for (const more of [0, 1, 5]) {
		const folder = place(context);
		const writer = open(folder);
		for (let n = 0; n < 5; n += 1) writer.append(() => [call(n)]);
		const [{ path, lines } = { path: "", lines: [] }] = linesIn(folder);
		// The last entry with another content and right hashes, and entries that never were.
		const [seq = "0", prev = ""] = lines.at(-2)?.split(" ").slice(0, 3).toSpliced(1, 1) ?? [];
		const others = Array.from({ length: more + 1 }, (_, n) => call(100 + n));
		const forged = chained({ seq: Number(seq), hash: prev }, others).bytes;
		writeFileSync(path, `${lines.slice(0, -1).join("\n")}\n${forged.toString()}`);
		const before = verify(folder).problem;
		assert.deepEqual([before?.kind, before?.seq], ["altered", 3]);
		open(folder).close();
		const after = verify(folder).problem;
		assert.equal(after?.kind, "altered", `with ${more} more`);
	}
});

test("a slot that a failing machine cut short is told, and is no alarm", (context) => {
	const folder = place(context);
	const writer = open(folder);
	for (let n = 0; n < 3; n += 1) writer.append(() => [call(n)]);
	const head = join(folder, head_name);
	const before = readFileSync(head);
	writer.append(() => [call(3)]);
	const after = readFileSync(head);
	const written = before.subarray(0, slot_bytes).equals(after.subarray(0, slot_bytes)) ? 1 : 0;
	assert.notDeepEqual(before, after);
	const from = written * slot_bytes;
	for (let length = 16; length < 160; length += 9) {
		const torn = Buffer.from(before);
		after.copy(torn, from, from, from + length);
		if (torn.equals(after) || torn.equals(before)) continue;
		writeFileSync(head, torn);
		const found = verify(folder);
		assert.deepEqual([found.problem, found.torn_heads], [undefined, 1], `${length} bytes`);
	}
	open(folder).close();
	assert.deepEqual([verify(folder).problem, verify(folder).torn_heads], [undefined, 1]);
	writer.close();
});

test("a head from a moment before, as a failing machine leaves it, is no alarm", (context) => {
	const folder = place(context);
	const head = join(folder, head_name);
	const writer = open(folder);
	const heads: Buffer[] = [];
	for (let n = 0; n < 6; n += 1) {
		heads.push(readFileSync(head));
		writer.append(() => [call(n)]);
	}
	for (const old of heads) {
		writeFileSync(head, old);
		assert.equal(verify(folder).problem, undefined);
		open(folder).close();
		assert.equal(verify(folder).problem, undefined);
	}
	writer.close();
});

test("neither slot can be altered to hide that the last append is gone", (context) => {
	for (const slot of [0, 1]) {
		const folder = place(context);
		const writer = open(folder);
		for (let n = 0; n < 4; n += 1) writer.append(() => [call(n)]);
		const head = join(folder, head_name);
		const bytes = readFileSync(head);
		bytes.fill("x", slot * slot_bytes, slot * slot_bytes + 20);
		writeFileSync(head, bytes);
		cutTail(folder, 1);
		assert.ok(verify(folder).problem, `slot ${slot}`);
		open(folder).close();
		assert.ok(verify(folder).problem, `slot ${slot} after a start`);
		writer.close();
	}
});

/** Entries as lines that follow a head. */
function chained(head: ChainHead, entries: readonly string[]): LineBuffer {
	const lines = new LineBuffer();
	lines.begin(head);
	for (const json of entries) lines.add(json);
	return lines;
}

/** A log as it was written before logs had heads. */
function oldLog(folder: string, entries: readonly string[]): void {
	mkdirSync(folder, { recursive: true });
	const { bytes, head } = chained(empty_head, entries);
	writeFileSync(join(folder, segmentName(1)), bytes);
	const note = writeCheckpoint({ ...head, at_ms: now() }, signer);
	writeFileSync(join(folder, checkpoint_name), note);
}

const old_start = JSON.stringify({ kind: "start", format: 1, at_ms: now() });

test("a log from before heads verifies, gets one, and misses it from then on", (context) => {
	for (let changes = 0; changes < 12; changes += 1) {
		const folder = place(context);
		oldLog(folder, [old_start, call(1), call(2)]);
		assert.equal(verify(folder).problem, undefined);
		// Killed anywhere in the first start that knows heads.
		runUntilKilled(folder, ["append"], new DyingDisk(changes, 0.5));
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes`);
		open(folder).close();
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes and a start`);
		rmSync(join(folder, head_name));
		assert.equal(verify(folder).problem?.kind, "unsigned");
	}
});

test("a first start from before heads that was interrupted is gone on with", (context) => {
	for (let changes = 0; changes < 14; changes += 1) {
		const folder = place(context);
		oldLog(folder, [old_start]);
		rmSync(join(folder, checkpoint_name));
		assert.equal(verify(folder).problem, undefined);
		runUntilKilled(folder, ["append"], new DyingDisk(changes, 0.5));
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes`);
		open(folder).close();
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes and a start`);
	}
});

test("letting go of segments that is interrupted anywhere is no alarm", (context) => {
	const fill: Step[] = Array.from({ length: 20 }, () => "many");
	const left = new Set<number>();
	// From the last append on to the end of all.
	for (let changes = 84; changes < 106; changes += 1) {
		const folder = place(context);
		runUntilKilled(folder, [...fill, "prune"], new DyingDisk(changes, 0.5));
		left.add(linesIn(folder).length);
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes`);
		open(folder).close();
		assert.equal(verify(folder).problem, undefined, `after ${changes} changes and a start`);
	}
	assert.ok(left.size > 3, "some were killed between two segments");
});

test("the head is expected too of a log whose beginning was let go", (context) => {
	const folder = place(context);
	const writer = open(folder);
	for (let n = 0; n < 60; n += 1) writer.append(() => [call(n)]);
	assert.ok(writer.prune(40) > 0);
	writer.append(() => [call(60)]);
	assert.equal(verify(folder).problem, undefined);
	assert.ok(!linesIn(folder).some(({ lines }) => lines.some((line) => line.includes('"start"'))));
	rmSync(join(folder, head_name));
	assert.equal(verify(folder).problem?.message, `The file ${head_name} is gone.`);
	writer.close();
});

test("entries are kept where the head cannot be written, and it catches up", (context) => {
	const folder = place(context);
	let is_failing = false;
	const check = () => {
		if (is_failing) throw Object.assign(new Error("broken"), { code: "EIO" });
	};
	const disk: Disk = {
		...quick_disk,
		writeAt(file, bytes, position) {
			if (bytes.length === slot_bytes) check();
			quick_disk.writeAt(file, bytes, position);
		},
		replace(path, text) {
			if (basename(path) === head_name) check();
			quick_disk.replace(path, text);
		},
	};
	const writer = open(folder, disk);
	writer.append(() => [call(1)]);
	is_failing = true;
	writer.append(() => [call(2)]);
	const behind = verify(folder);
	assert.equal(behind.problem, undefined);
	assert.equal(behind.attested_seq, behind.last_seq - 1);
	is_failing = false;
	writer.append(() => [call(3)]);
	assert.equal(verify(folder).attested_seq, verify(folder).last_seq);
	is_failing = true;
	writer.close();
	const reopened = open(folder, disk);
	reopened.append(() => [call(4)]);
	is_failing = false;
	reopened.append(() => [call(5)]);
	const { problem, attested_seq, last_seq } = verify(folder);
	assert.deepEqual([problem, attested_seq], [undefined, last_seq]);
	reopened.close();
});
