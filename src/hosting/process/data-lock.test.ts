import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { acquireDataLock, readDataLock } from "./data-lock.ts";

let data_dir = "";
beforeEach(async () => {
	data_dir = join(await mkdtemp(join(tmpdir(), "moorage-lock-")), "data");
});
afterEach(() => rm(join(data_dir, ".."), { recursive: true }));

const module_path = fileURLToPath(new URL("./data-lock.ts", import.meta.url));

/** Takes the folder in another process, which then waits to be killed. */
async function holdElsewhere(url: string) {
	const script =
		`import { acquireDataLock } from ${JSON.stringify(module_path)};` +
		`const lock = await acquireDataLock(${JSON.stringify(data_dir)}, { url: "${url}" });` +
		"console.log(lock.ok ? 'held' : lock.problem.kind); setInterval(() => lock, 1000);";
	const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
	return { child, line };
}

test("the folder is made, and tells who runs and where", async () => {
	const result = await acquireDataLock(data_dir, { version: "1.2.3", started_at_ms: 5 });
	assert(result.ok);
	await result.value.update({ url: "http://127.0.0.1:1" });
	const found = await readDataLock(data_dir);
	assert(found.state === "running");
	assert.equal(found.gateway.pid, process.pid);
	assert.equal(found.gateway.url, "http://127.0.0.1:1");
	assert.equal(found.gateway.version, "1.2.3");
	assert.equal(found.gateway.started_at_ms, 5);
	const path = join(data_dir, "run", "gateway.json");
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	await result.value.release();
	await result.value.release();
	assert.deepEqual(await readDataLock(data_dir), { state: "none" });
});

test("a released folder can be taken again, and late updates write nothing", async () => {
	const first = await acquireDataLock(data_dir, {});
	assert(first.ok);
	await first.value.release();
	await first.value.update({ url: "http://late" });
	assert.deepEqual(await readDataLock(data_dir), { state: "none" });
	const second = await acquireDataLock(data_dir, {});
	assert(second.ok);
	await second.value.release();
});

test("a second gateway is refused with the first one's address", async () => {
	const { child, line } = await holdElsewhere("http://127.0.0.1:4");
	assert.equal(line, "held");
	const result = await acquireDataLock(data_dir, {});
	assert(!result.ok);
	assert.equal(result.problem.kind, "running");
	assert.match(result.problem.message, /already runs .*http:\/\/127\.0\.0\.1:4\. Stop it/u);
	assert.equal(result.problem.gateway?.pid, child.pid);
	child.kill("SIGKILL");
	await once(child, "exit");
});

test("a second gateway in the same process is refused too", async () => {
	const first = await acquireDataLock(data_dir, {});
	assert(first.ok);
	const second = await acquireDataLock(data_dir, {});
	assert(!second.ok);
	assert.equal(second.problem.kind, "running");
	await first.value.release();
});

test("a gateway that was killed is told from one that runs, and its folder can be had", async () => {
	const { child } = await holdElsewhere("http://127.0.0.1:4");
	assert.equal((await readDataLock(data_dir)).state, "running");
	child.kill("SIGKILL");
	await once(child, "exit");
	const stale = await readDataLock(data_dir);
	assert(stale.state === "stale");
	assert.equal(stale.gateway?.url, "http://127.0.0.1:4");
	const result = await acquireDataLock(data_dir, {});
	assert(result.ok);
	assert.equal((await readDataLock(data_dir)).state, "running");
	await result.value.release();
});

test("of many gateways that start at once over a stale record exactly one wins", async () => {
	await mkdir(join(data_dir, "run"), { recursive: true });
	const record = { pid: 2 ** 30, start_time: "gone" };
	await writeFile(join(data_dir, "run", "gateway.json"), JSON.stringify(record));
	const holders = await Promise.all(Array.from({ length: 4 }, () => holdElsewhere("http://x")));
	assert.deepEqual(holders.map(({ line }) => line).sort(), [
		"held",
		"running",
		"running",
		"running",
	]);
	for (const { child } of holders) {
		child.kill("SIGKILL");
	}
	await Promise.all(holders.map(({ child }) => once(child, "exit")));
});

test("a pid that now names another process does not count as the gateway", async () => {
	await mkdir(join(data_dir, "run"), { recursive: true });
	const record = { pid: process.pid, start_time: "some other time" };
	await writeFile(join(data_dir, "run", "gateway.json"), JSON.stringify(record));
	assert.equal((await readDataLock(data_dir)).state, "stale");
});

test("a damaged record is stale and no obstacle", async () => {
	await mkdir(join(data_dir, "run"), { recursive: true });
	for (const text of ["", "{", "null", "[]", '{"pid":"1"}', '{"pid":1,"start_time":"x","url":7}']) {
		await writeFile(join(data_dir, "run", "gateway.json"), text);
		assert.deepEqual(await readDataLock(data_dir), { state: "stale", gateway: undefined }, text);
	}
	const result = await acquireDataLock(data_dir, {});
	assert(result.ok);
	const text = await readFile(join(data_dir, "run", "gateway.json"), "utf8");
	assert.equal(JSON.parse(text).pid, process.pid);
	await result.value.release();
});

test("a folder that cannot be made is a sentence, not an exception", async () => {
	await mkdir(join(data_dir, ".."), { recursive: true });
	await writeFile(data_dir, "a file where the folder should be");
	const result = await acquireDataLock(data_dir, {});
	assert(!result.ok);
	assert.equal(result.problem.kind, "unusable");
	assert.match(result.problem.message, /cannot be used \((?:ENOTDIR|EEXIST)\)/u);
});

test("a record may be as long as ours can be, and a longer one is no word of a gateway", async () => {
	// record_bytes_max
	const held = await acquireDataLock(data_dir, { url: "http://127.0.0.1:1" });
	assert(held.ok);
	const path = join(data_dir, "run", "gateway.json");
	const text = await readFile(path, "utf8");
	for (const [chars, state] of [
		[64 * 1024 - 1, "running"],
		[64 * 1024, "running"],
		[64 * 1024 + 1, "stale"],
	] as const) {
		await writeFile(path, text.padEnd(chars, " "));
		assert.equal((await readDataLock(data_dir)).state, state, String(chars));
	}
	await writeFile(path, text);
	await held.value.release();
});
