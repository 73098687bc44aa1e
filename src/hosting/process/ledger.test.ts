import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { Ledger, listLedgers, parseLedger, readLedger } from "./ledger.ts";

let data_dir = "";
beforeEach(async () => {
	data_dir = await mkdtemp(join(tmpdir(), "moorage-ledger-"));
});
afterEach(() => rm(data_dir, { recursive: true }));

const owner = { pid: 100, start_time: "boot/1" };

function entry(pid: number) {
	return { pid, start_time: `boot/${pid}`, pgid: pid, server: `server-${pid}` };
}

test("a ledger tells its owner and what still runs", async () => {
	const ledger = new Ledger(data_dir, "me", owner, ["/groups/me"]);
	ledger.add(entry(200));
	ledger.add(entry(300));
	ledger.remove(200);
	ledger.remove(999);
	assert.deepEqual(await listLedgers(data_dir), [ledger.path]);
	const content = await readLedger(ledger.path);
	assert.deepEqual(content, {
		owner_id: "me",
		owner,
		group_folders: ["/groups/me"],
		entries: [entry(300)],
	});
	ledger.discard();
	assert.deepEqual(await listLedgers(data_dir), []);
	assert.equal(await readLedger(ledger.path), undefined);
});

test("only its owner may read it", async () => {
	const ledger = new Ledger(data_dir, "me", owner);
	assert.equal((await stat(ledger.path)).mode & 0o777, 0o600);
});

test("a server that keeps crashing does not make the ledger grow without end", async () => {
	const ledger = new Ledger(data_dir, "me", owner);
	ledger.add(entry(200));
	for (let pid = 1_000; pid < 6_000; pid += 1) {
		ledger.add(entry(pid));
		ledger.remove(pid);
	}
	const lines = (await readFile(ledger.path, "utf8")).split("\n").length;
	assert(lines < 2_100, `${lines} lines`);
	assert.deepEqual((await readLedger(ledger.path))?.entries, [entry(200)]);
});

test("a half-written last line is skipped", async () => {
	const ledger = new Ledger(data_dir, "me", owner);
	ledger.add(entry(200));
	await appendFile(ledger.path, '{"pid":300,"start_ti');
	assert.deepEqual((await readLedger(ledger.path))?.entries, [entry(200)]);
});

test("a ledger of a gateway that is pid 1 in its container is understood", () => {
	const text = '{"owner_id":"me","pid":1,"start_time":"boot/1"}\n';
	assert.equal(parseLedger(text)?.owner.pid, 1);
});

test("no entry can ever mean a group, init or the whole system", () => {
	const header = '{"owner_id":"me","pid":5,"start_time":"x"}\n';
	for (const pid of [0, 1, -1, -200, 1.5, '"200"', null]) {
		const text = `${header}{"pid":${pid},"start_time":"x","pgid":${pid},"server":"s"}\n`;
		assert.deepEqual(parseLedger(text)?.entries, [], String(pid));
	}
});

test("whatever a file holds, reading it does not throw", () => {
	fc.assert(
		fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
			const content = parseLedger(lines.join("\n"));
			assert(content === undefined || Array.isArray(content.entries));
		}),
	);
});

test("any history of starts and ends leaves exactly what was not ended", async () => {
	const step = fc.record({ pid: fc.integer({ min: 2, max: 9 }), start: fc.boolean() });
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
			const ledger = new Ledger(data_dir, "me", owner);
			const running = new Map<number, object>();
			for (const { pid, start } of steps) {
				if (start) {
					ledger.add(entry(pid));
					running.set(pid, entry(pid));
				} else {
					ledger.remove(pid);
					running.delete(pid);
				}
			}
			const content = await readLedger(ledger.path);
			const byPid = (a: { pid: number }, b: { pid: number }) => a.pid - b.pid;
			const expected = [...running.values()] as { pid: number }[];
			assert.deepEqual([...(content?.entries ?? [])].sort(byPid), expected.sort(byPid));
		}),
		{ numRuns: 30 },
	);
});

test("files that are no ledgers are left out", async () => {
	const ledger = new Ledger(data_dir, "me", owner);
	await writeFile(join(data_dir, "run", "gateway.json"), "{}");
	assert.deepEqual(await listLedgers(data_dir), [ledger.path]);
	assert.deepEqual(await listLedgers(join(data_dir, "nowhere")), []);
});

test("a ledger may be as large as ours can be, and a larger one is none of ours", async () => {
	// ledger_bytes_max
	const ledger = new Ledger(data_dir, "me", owner);
	const server = "x".repeat(40);
	for (let pid = 1_000; pid < 3_000; pid += 1) ledger.add({ ...entry(pid), server });
	for (let round = 0; round < 2_000; round += 1) {
		ledger.remove(1_000);
		ledger.add({ ...entry(1_000), server });
	}
	const text = await readFile(ledger.path, "utf8");
	assert.ok(text.length < 1024 ** 2, "what we write is far smaller than the limit");
	for (const [bytes, entries] of [
		[8 * 1024 ** 2 - 1, 2_000],
		[8 * 1024 ** 2, 2_000],
		[8 * 1024 ** 2 + 1, undefined],
	] as const) {
		await writeFile(ledger.path, text.padEnd(bytes, "\n"));
		assert.equal((await readLedger(ledger.path))?.entries.length, entries, String(bytes));
	}
});
