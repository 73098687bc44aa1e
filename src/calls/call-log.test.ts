import assert from "node:assert/strict";
import { once } from "node:events";
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { sampleAnswered } from "../../test/support/answered-request.ts";
import { sampleRecord } from "../../test/support/call-record.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import { CallLog, type CallLogOptions, type CallLogTrouble } from "./call-log.ts";
import type { CallsWorkerData } from "./messages.ts";

const day_ms = 24 * 3_600_000;

function open(
	context: TestContext,
	data: Partial<CallsWorkerData> = {},
	changes: Partial<CallLogOptions> = {},
) {
	const folder = mkdtempSync(join(tmpdir(), "moorage-calls-"));
	const troubles: CallLogTrouble[] = [];
	const printed: string[] = [];
	const log = new CallLog({
		clock: systemClock,
		data: {
			folder,
			file: { bytes_max: 1_000_000, files_max: 3 },
			history: { keep_ms: 1e12, calls_max: 1_000_000 },
			...data,
		},
		stdout: { write: (text) => printed.push(text) },
		redactor: { text: (text) => text.replaceAll("s3cret", "[redacted]") },
		onTrouble: (trouble) => troubles.push(trouble),
		...changes,
	});
	context.after(async () => {
		await log.close();
		rmSync(folder, { recursive: true });
	});
	const idsIn = (text: string) =>
		text
			.split("\n")
			.flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { id: string }).id]));
	const files = () =>
		readdirSync(folder)
			.filter((name) => name.endsWith(".ndjson"))
			.sort();
	const idsInFiles = () =>
		files().flatMap((name) => idsIn(readFileSync(join(folder, name), "utf8")));
	return { log, folder, troubles, printed, idsIn, files, idsInFiles };
}

const calls = (count: number) =>
	Array.from({ length: count }, (_, n) =>
		sampleRecord({ id: `call-${String(n).padStart(5, "0")}` }),
	);

test("every call is in the file, on standard output and in the history, in order", async (t) => {
	const { log, printed, idsIn, idsInFiles } = open(t);
	const records = calls(2_500);
	for (const record of records) assert.equal(log.after(record), undefined);
	await log.flush();
	const ids = records.map(({ id }) => id);
	assert.deepEqual(idsInFiles(), ids);
	assert.deepEqual(idsIn(printed.join("")), ids);
	const page = await log.find({ limit: 5 });
	assert.deepEqual(
		page.calls.map(({ id }) => id),
		ids.toReversed().slice(0, 5),
	);
	assert.equal((await log.get("call-01234"))?.id, "call-01234");
	assert.deepEqual(log.totals, { lines: 2_500, dropped: 0, failed: 0 });
});

test("requests that never became calls have their lines too, those that were counted at the end", async (t) => {
	const { log, printed } = open(t);
	for (let n = 0; n < 100; n += 1) {
		log.answered(sampleAnswered({ id: `refused-${n}`, error_message: "It is s3cret." }));
	}
	await log.flush();
	const page = await log.find({ limit: 100, code: "credential_unknown" });
	assert.equal(page.calls.length, 60);
	assert.deepEqual(
		[page.calls[0]?.id, page.calls[0]?.user, page.calls[0]?.error],
		["refused-59", null, "It is [redacted]."],
	);
	await log.close();
	log.answered(sampleAnswered({ id: "late" }));
	const lines = printed.join("").split("\n");
	const last = JSON.parse(lines.at(-2) ?? "") as Record<string, unknown>;
	assert.deepEqual([last["requests"], last["method"]], [40, "*"]);
	assert.equal(log.totals.lines, 61);
});

test("nobody but who runs the gateway may read what is kept", async (t) => {
	if (process.platform === "win32") return t.skip("files there have other rights");
	const { log, folder } = open(t);
	log.after(sampleRecord({ id: "one" }));
	await log.flush();
	const names = readdirSync(folder);
	assert.ok(names.includes("history.db-wal") && names.includes("calls.ndjson"), names.join(" "));
	for (const name of names) {
		assert.equal(statSync(join(folder, name)).mode & 0o077, 0, `others may read ${name}`);
	}
});

test("what waits is written when the log is closed, and nothing after it", async (t) => {
	const { log, idsInFiles } = open(t);
	log.after(sampleRecord({ id: "last" }));
	await log.close();
	log.after(sampleRecord({ id: "late" }));
	await log.close();
	assert.deepEqual(idsInFiles(), ["last"]);
});

test("a file that has grown is put aside, and only the newest are kept", async (t) => {
	const { log, files, idsInFiles } = open(t, { file: { bytes_max: 20_000, files_max: 3 } });
	for (const [n, record] of calls(200).entries()) {
		log.after(record);
		if (n % 10 === 9) await log.flush();
	}
	assert.equal(files().length, 3);
	const ids = idsInFiles();
	assert.ok(ids.includes("call-00199") && !ids.includes("call-00000"));
	assert.equal((await log.find({ limit: 500 })).calls.length, 200, "the history has them all");
});

test("secrets are in no line", async (t) => {
	const { log, folder, files } = open(t);
	log.after(sampleRecord({ method: "resources/read", name: "file:///s3cret" }));
	log.after(sampleRecord({ status: "timeout", error_message: "s3cret is late" }));
	await log.flush();
	const text = files()
		.map((name) => readFileSync(join(folder, name), "utf8"))
		.join("");
	assert.ok(!text.includes("s3cret") && text.includes("[redacted] is late"));
	assert.equal((await log.find({ limit: 1 })).calls[0]?.error, "[redacted] is late");
});

test("a full disk costs the lines of the file, which is told, and not the history", async (t) => {
	const parent = mkdtempSync(join(tmpdir(), "moorage-full-"));
	t.after(() => rmSync(parent, { recursive: true }));
	const folder = join(parent, "calls");
	mkdirSync(folder);
	if (process.platform !== "linux") return t.skip("only Linux has a device that is always full");
	symlinkSync("/dev/full", join(folder, "calls.ndjson"));
	const { log, troubles } = open(t, { folder });
	log.after(sampleRecord({ id: "kept-in-part" }));
	await log.flush();
	assert.equal((await log.get("kept-in-part"))?.id, "kept-in-part");
	assert.equal(log.totals.failed, 1);
	rmSync(join(folder, "calls.ndjson"));
	log.after(sampleRecord({ id: "kept" }));
	await log.flush();
	assert.match(readFileSync(join(folder, "calls.ndjson"), "utf8"), /"kept"/);
	await log.close();
	assert.deepEqual(troubles, [{ dropped: 0, failed: 1, error: "ENOSPC" }]);
});

test("a line that the history does not take costs no other", async (t) => {
	const { log, folder, troubles, idsInFiles } = open(t);
	log.after(sampleRecord({ id: "first" }));
	await log.flush();
	const history = new DatabaseSync(join(folder, "history.db"));
	history.exec(`create trigger odd before insert on calls when new.output_bytes = 4711
		begin select raise(abort, 'odd'); end`);
	history.close();
	const lines = calls(100);
	lines.splice(41, 1, sampleRecord({ id: "odd-one", output_bytes: 4711 }));
	for (const record of lines) log.after(record);
	await log.flush();
	assert.deepEqual(log.totals, { lines: 100, dropped: 0, failed: 1 });
	assert.equal(idsInFiles().length, 101, "the file has it");
	assert.equal((await log.find({ limit: 500 })).calls.length, 100);
	await log.close();
	assert.deepEqual(troubles, [{ dropped: 0, failed: 1, error: "odd" }]);
});

test("more lines than may wait for the disk are dropped and counted", async (t) => {
	const { log, troubles } = open(t, {}, { lines_waiting_max: 3_000 });
	// All in one turn: the thread has had no time to write any of them.
	for (const record of calls(5_000)) log.after(record);
	await log.flush();
	assert.equal(log.totals.dropped, 2_000);
	assert.equal(log.totals.lines, 3_000);
	await log.close();
	assert.equal(troubles[0]?.dropped, 2_000);
});

test("without files and history there is no thread, and nothing to ask", async (t) => {
	const { log, printed, files } = open(t, { file: undefined, history: undefined });
	log.after(sampleRecord());
	await log.flush();
	assert.equal(printed.length, 1);
	assert.deepEqual(files(), []);
	await assert.rejects(log.find({ limit: 1 }), /no history is kept/);
	assert.equal(await log.trim({ by_age: true }), 0);
});

test("a thread without work for a minute is ended, and the next line starts another", async (t) => {
	const timers: (() => void)[] = [];
	let later_ms = 0;
	const clock: Clock = {
		...systemClock,
		monotonic: () => systemClock.monotonic() + later_ms,
		afterIdle: (delay_ms, fn) => {
			if (delay_ms > 1_000) timers.push(fn);
			return systemClock.afterIdle(delay_ms, fn);
		},
	};
	const exits: Promise<unknown>[] = [];
	const onWorker = (worker: Worker) => void exits.push(once(worker, "exit"));
	process.on("worker", onWorker);
	t.after(() => process.off("worker", onWorker));
	const { log, idsInFiles } = open(t, {}, { clock });
	const [first, second] = calls(2);
	log.after(first as CallRecord);
	await log.flush();
	assert.equal(exits.length, 1);
	// It is not a minute yet.
	timers.shift()?.();
	assert.equal((await log.get("call-00000"))?.id, "call-00000");
	later_ms = 120_000;
	timers.shift()?.();
	await exits[0];
	log.after(second as CallRecord);
	await log.flush();
	assert.equal(exits.length, 2);
	assert.deepEqual(idsInFiles(), ["call-00000", "call-00001"]);
	assert.equal((await log.find({ limit: 10 })).calls.length, 2);
});

test("what is older than it is to be kept leaves the history", async (t) => {
	const { log } = open(t, { history: { keep_ms: day_ms, calls_max: 1_000 } });
	const now_ms = Date.now();
	log.after(sampleRecord({ id: "old", ts_ms: now_ms - 2 * day_ms }));
	log.after(sampleRecord({ id: "new", ts_ms: now_ms }));
	await log.flush();
	assert.equal(await log.trim({ by_age: false }), 0, "nobody believes the clock");
	assert.equal(await log.trim({ by_age: true }), 1);
	assert.equal(await log.trim({ by_age: true }), 0);
	assert.equal(await log.get("old"), undefined);
	assert.equal((await log.get("new"))?.id, "new");
});
