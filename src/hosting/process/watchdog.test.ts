import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { Watched } from "./watchdog.ts";
import { Watchdog } from "./watchdog.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-watchdog-"));
after(() => rm(root, { recursive: true }));

const no_proc = process.platform === "linux" ? false : "processes are measured on Linux only";
const off = {
	memory_bytes_max: undefined,
	processes_max: undefined,
	disk_bytes_max: undefined,
	required: false,
};

/** An instance made of this very process, which is surely over any small limit. */
function instance(limits: Partial<Watched["limits"]>, more: Partial<Watched> = {}) {
	const reasons: string[] = [];
	const entry: Watched = {
		limits: { ...off, ...limits },
		folders: [root],
		asleep: () => false,
		pids: async () => [process.pid],
		end: (reason) => reasons.push(reason),
		...more,
	};
	return { entry, reasons };
}

test("an instance over a limit is ended once, with the limit", { skip: no_proc }, async () => {
	const watchdog = new Watchdog(new FakeClock());
	const memory = instance({ memory_bytes_max: 1024 });
	const processes = instance({ processes_max: 1 });
	const fine = instance({ memory_bytes_max: 2 ** 40, processes_max: 10_000 });
	for (const { entry } of [memory, processes, fine]) {
		watchdog.watch(entry);
	}
	await watchdog.look();
	await watchdog.look();
	assert.deepEqual(memory.reasons, ["ran out of memory (limit 1KiB)"]);
	assert.deepEqual(processes.reasons, ["reached its limit of 1 processes and threads"]);
	assert.deepEqual(fine.reasons, []);
	watchdog.close();
});

test("disk space at the limit is fine, above it is not", async () => {
	const watchdog = new Watchdog(new FakeClock());
	await writeFile(join(root, "file"), Buffer.alloc(1024 ** 2, 1));
	const fine = instance({ disk_bytes_max: 8 * 1024 ** 2 });
	const over = instance({ disk_bytes_max: 512 * 1024 });
	watchdog.watch(fine.entry);
	watchdog.watch(over.entry);
	await watchdog.look();
	assert.deepEqual(fine.reasons, []);
	assert.deepEqual(over.reasons, ["used up its disk space (limit 512KiB)"]);
	watchdog.close();
});

test("what cannot be counted is told once, and ends an instance whose limits are required", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-watchdog-"));
	t.after(() => rm(folder, { recursive: true }));
	// Deeper than is looked at.
	await mkdir(join(folder, ...Array.from({ length: 260 }, () => "d")), { recursive: true });
	const watchdog = new Watchdog(new FakeClock());
	const notes: string[] = [];
	const limits = { disk_bytes_max: 2 ** 30 };
	const more = { folders: [folder], note: (text: string) => notes.push(text) };
	const noted = instance(limits, more);
	const ended = instance({ ...limits, required: true }, more);
	for (const { entry } of [noted, ended]) watchdog.watch(entry);
	await watchdog.look();
	await watchdog.look();
	assert.deepEqual(noted.reasons, []);
	assert.match(ended.reasons.join(), /than can be counted.*1GiB, required/);
	assert.equal(notes.length, 1);
	watchdog.close();
});

test("what sleeps is left alone until it is awake", { skip: no_proc }, async () => {
	const watchdog = new Watchdog(new FakeClock());
	let asleep = true;
	const pids = async (): Promise<number[]> => {
		assert.equal(asleep, false, "looked at while asleep");
		return [process.pid];
	};
	const { entry, reasons } = instance({ memory_bytes_max: 1024 }, { pids, asleep: () => asleep });
	watchdog.watch(entry);
	await watchdog.look();
	assert.deepEqual(reasons, []);
	asleep = false;
	await watchdog.look();
	assert.equal(reasons.length, 1);
	watchdog.close();
});

test("it looks once a second while there is something to look at, and not otherwise", async () => {
	const clock = new FakeClock();
	const watchdog = new Watchdog(clock);
	let looks = 0;
	const pids = async (): Promise<number[]> => {
		looks += 1;
		return [];
	};
	watchdog.watch(instance({}, { pids }).entry);
	await clock.advance(5_000);
	assert.equal(looks, 0);
	const unwatch = watchdog.watch(instance({ memory_bytes_max: 1024 }, { pids }).entry);
	for (let second = 1; second <= 3; second += 1) {
		await clock.advance(1_000);
		assert.equal(looks, second);
	}
	unwatch();
	unwatch();
	await clock.advance(5_000);
	assert.equal(looks, 3);
	watchdog.close();
});

test("after it was closed it ends nobody", { skip: no_proc }, async () => {
	const clock = new FakeClock();
	const watchdog = new Watchdog(clock);
	const { entry, reasons } = instance({ memory_bytes_max: 1024 });
	watchdog.watch(entry);
	watchdog.close();
	await clock.advance(5_000);
	await watchdog.look();
	assert.deepEqual(reasons, []);
});
