import assert from "node:assert/strict";
import { once } from "node:events";
import {
	appendFile,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { digestFile } from "../../src/backup/copy-tree.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { eventually } from "../support/processes.ts";
import { runCli, spawnCli } from "../support/run-cli.ts";
import { openLegacy } from "../support/wire-clients.ts";

let folder: string;
let backup: string;
let session_id: string;
const canary = "canary-7d1f0b";
const servers = () => ({
	echo: { ...stdioFixture("echo"), env: { API_KEY: "${secret:api_key}" } },
});

/** A gateway whose backup is made while it runs and has a session and a volume. */
before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-backup-"));
	backup = join(folder, "backup");
	const home = join(folder, "one");
	await mkdir(home);
	const stored = await runCli(["secret", "set", "api_key"], { cwd: home, input: canary });
	assert.equal(stored.code, 0, stored.stderr);
	const gateway = await startGateway({ servers: servers() }, { folder: home });
	try {
		await backUp(gateway, home);
	} finally {
		await gateway.stop();
	}
});

/** What the checklist of a running gateway says in one of its rows. */
async function checklistRow(home: string, id: string): Promise<string> {
	const listed = await runCli(["checklist", "--json"], { cwd: home });
	const { rows } = JSON.parse(listed.stdout) as {
		rows: Record<"id" | "status" | "evidence", string>[];
	};
	const row = rows.find((one) => one.id === id);
	return `${row?.status}: ${row?.evidence}`;
}

async function backUp(gateway: TestGateway, home: string): Promise<void> {
	assert.match(await checklistRow(home, "backup"), /^missing: No backup was ever made/);
	const client = await openLegacy(gateway.address("echo"));
	session_id = client.session_id;
	await client.call("echo", '{"text":"one"}');
	await writeFile(join(home, ".moorage", "volumes", "echo", "shared", "notes.txt"), "kept");
	const made = await runCli(["backup", backup, "--json"], { cwd: home });
	assert.equal(made.code, 0, made.stderr);
	const { files, servers: copied } = JSON.parse(made.stdout) as {
		files: number;
		servers: string[];
	};
	assert.ok(files > 3);
	assert.deepEqual(copied, ["echo"]);
	const row = await checklistRow(home, "backup");
	assert.ok(row.startsWith("ok: The last backup is of ") && row.includes(`in ${backup}.`), row);
	assert.match(await checklistRow(home, "credentials"), /^ok: 1 in all, younger than 365 days/);
	// The gateway goes on, and so do its servers.
	assert.match(JSON.stringify(await client.call("echo", '{"text":"two"}')), /two/);
	const again = await runCli(["backup", backup], { cwd: home });
	assert.equal(again.code, 1);
	assert.match(again.stderr, /exists already/);
	const busy = await runCli(["restore", backup, "--force"], { cwd: home });
	assert.equal(busy.code, 1);
	assert.match(busy.stderr, /already runs on the data folder/);
}

after(() => rm(folder, { recursive: true, force: true }));

test("a restored data folder has the session, the catalog and the volume", async (t) => {
	const home = join(folder, "two");
	const data = join(home, ".moorage");
	const done = await runCli(["restore", backup, "--data", data, "--config", home, "--json"], {
		cwd: folder,
	});
	assert.equal(done.code, 0, done.stderr);
	const original = await readFile(join(folder, "one", "moorage.yaml"), "utf8");
	assert.equal(await readFile(join(home, "moorage.yaml"), "utf8"), original);
	const volume = join(data, "volumes", "echo", "shared", "notes.txt");
	assert.equal(await readFile(volume, "utf8"), "kept");
	if (process.platform !== "win32") {
		assert.equal((await stat(join(data, "keys", "store-key"))).mode & 0o777, 0o600);
		assert.equal((await stat(backup)).mode & 0o777, 0o700);
	}
	const gateway = await startGateway({ servers: servers() }, { folder: home });
	t.after(() => gateway.stop());
	const params = { name: "echo", arguments: { text: "still here" } };
	const called = await fetch(gateway.address("echo"), {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-session-id": session_id,
			"mcp-protocol-version": "2025-11-25",
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
	});
	assert.equal(called.status, 200);
	assert.match(await called.text(), /still here/);
	const versions = gateway.daemon.overview().servers.map(({ name, tools }) => [name, tools > 0]);
	assert.deepEqual(versions, [["echo", true]]);
});

test("a folder with something in it is replaced only when told so", async () => {
	const data = join(folder, "three");
	assert.equal((await runCli(["restore", backup, "--data", data], { cwd: folder })).code, 0);
	await writeFile(join(data, "later.txt"), "later");
	const refused = await runCli(["restore", backup, "--data", data], { cwd: folder });
	assert.equal(refused.code, 1);
	assert.match(refused.stderr, /not empty.*--force/s);
	assert.equal(await readFile(join(data, "later.txt"), "utf8"), "later");
	const forced = await runCli(["restore", backup, "--data", data, "--force"], { cwd: folder });
	assert.equal(forced.code, 0, forced.stderr);
	assert.ok(!(await readdir(data)).some((name) => name === "later.txt" || name.startsWith(".")));
	// What is stopped can be backed up as well.
	const stopped = await runCli(["backup", join(folder, "stopped"), "--data", data], {
		cwd: folder,
	});
	assert.equal(stopped.code, 0, stopped.stderr);
});

/** Kills a restore in front of a rename of its own; false where it ended before. */
async function killRestore(data: string, rename: number): Promise<boolean> {
	const preload = ["--import", new URL("../support/kill-at-rename.ts", import.meta.url).href];
	const environment = { KILL_AT_RENAME: String(rename) };
	const args = ["restore", backup, "--data", data, "--force"];
	const child = spawnCli(args, { cwd: folder, environment }, preload);
	child.stdin.end();
	child.stdout.resume();
	child.stderr.resume();
	const [, signal] = (await once(child, "close")) as [number | null, string | null];
	return signal === "SIGKILL";
}

/** What is in a data folder, with the digest of each file; its lock and leftovers aside. */
async function digests(data: string): Promise<Record<string, string>> {
	const found: Record<string, string> = {};
	const all = await readdir(data, { recursive: true, withFileTypes: true });
	for (const entry of all.filter((one) => one.isFile())) {
		const path = relative(data, join(entry.parentPath, entry.name));
		if (path.startsWith("run") || path.startsWith(".restore-")) continue;
		// Made, and empty, wherever somebody reads the database.
		if (/\.db-(shm|wal)$/.test(path)) continue;
		// What is remembered of the last backup, which making one changes.
		if (path === "last-backup.json") continue;
		found[path] = (await digestFile(join(data, path))).sha256;
	}
	return found;
}

test("a restore that is killed with what was there half gone is undone by the next one", {
	skip: process.platform === "win32" ? "there is no SIGKILL there" : false,
}, async () => {
	const data = join(folder, "killed-restore");
	assert.equal((await runCli(["restore", backup, "--data", data], { cwd: folder })).code, 0);
	await writeFile(join(data, "admin-token"), "of-before", { mode: 0o600 });
	await writeFile(join(data, "volumes", "echo", "shared", "notes.txt"), "newer than the backup");
	const before = await digests(data);
	// 1 and 2 write the marker. In between everything was copied, and nothing moved.
	for (const rename of [2, 3, 5, 9]) {
		assert.ok(await killRestore(data, rename), `killed at ${rename}`);
		if (rename > 3) assert.notDeepEqual(await digests(data), before, "it was in the middle");
		const next = await runCli(["restore", backup, "--data", data], { cwd: folder });
		assert.equal(next.code, 1);
		assert.match(next.stderr, /not empty/);
		assert.match(next.stderr, rename === 2 ? /was removed/ : /has been put back/);
		assert.deepEqual(await digests(data), before);
	}
	assert.ok(await killRestore(data, 5));
	const saved = await runCli(["backup", join(folder, "settled"), "--data", data], { cwd: folder });
	assert.equal(saved.code, 0, saved.stderr);
	assert.match(saved.stderr, /has been put back/, "it is not half of one and half of another");
	assert.deepEqual(await digests(data), before);
	const forced = await runCli(["restore", backup, "--data", data, "--force"], { cwd: folder });
	assert.equal(forced.code, 0, forced.stderr);
	assert.ok(!forced.stderr.includes("interrupted"));
	assert.notDeepEqual(await digests(data), before);
	assert.ok(!(await readdir(data)).some((name) => name.startsWith(".")));
});

test("a gateway that starts after a restore was killed has what was there before it", {
	skip: process.platform === "win32" ? "there is no SIGKILL there" : false,
}, async (t) => {
	const home = join(folder, "killed-up");
	const data = join(home, ".moorage");
	const first = await runCli(["restore", backup, "--data", data, "--config", home], {
		cwd: folder,
	});
	assert.equal(first.code, 0, first.stderr);
	const volume = join(data, "volumes", "echo", "shared", "notes.txt");
	await writeFile(volume, "newer than the backup");
	const key = await readFile(join(data, "keys", "store-key"), "utf8");
	assert.ok(await killRestore(data, 6));
	assert.ok((await readdir(data)).length < 6, "most of what was there is out");
	const gateway = await startMoorage(join(home, "moorage.yaml"), data);
	t.after(() => gateway.stop());
	assert.match(gateway.errors.join("\n"), /restore of .* was interrupted.*has been put back/);
	assert.equal(await readFile(volume, "utf8"), "newer than the backup");
	assert.equal(await readFile(join(data, "keys", "store-key"), "utf8"), key);
	assert.ok(!(await readdir(data)).some((name) => name.startsWith(".restore-")));
	assert.deepEqual(
		gateway.report.servers.map(({ name, state }) => [name, state]),
		[["echo", "ready"]],
	);
	const versions = await runCli(["versions", "echo", "--data", data, "--json"], { cwd: home });
	assert.equal(versions.code, 0, versions.stderr);
	assert.match(versions.stdout, /"number":1,"state":"retired"/);
});

test("a damaged backup is refused before anything is touched", async () => {
	const copy = join(folder, "damaged");
	assert.equal((await runCli(["restore", backup, "--data", copy], { cwd: folder })).code, 0);
	for (const path of ["moorage.db", "volumes/echo/shared/notes.txt", "manifest.json"]) {
		const file = join(backup, path);
		const before = await readFile(file);
		await appendFile(file, "x");
		const data = join(folder, "untouched");
		const refused = await runCli(["restore", backup, "--data", data], { cwd: folder });
		await writeFile(file, before);
		assert.equal(refused.code, 1);
		assert.match(refused.stderr, /is damaged/);
		assert.match(refused.stderr, new RegExp(path.replaceAll("/", ".")));
		await assert.rejects(stat(data), /ENOENT/);
	}
	const missing = await runCli(["restore", join(folder, "nothing")], { cwd: folder });
	assert.equal(missing.code, 1);
	assert.match(missing.stderr, /is not a backup/);
});

test("a copy of the audit is whole, though somebody's payloads are erased while it is made", async (t) => {
	const home = join(folder, "erasing");
	await mkdir(home);
	const gateway = await startGateway({ servers: { echo: stdioFixture("echo") } }, { folder: home });
	t.after(() => gateway.stop());
	const client = await openLegacy(gateway.address("echo"));
	await client.call("echo", '{"text":"soon gone"}');
	// Stands between the log and the keys and takes its time to be copied.
	const beside = "a-large-file";
	const audit = join(home, ".moorage", "audit");
	const namesIn = () => readdir(audit).catch(() => []);
	await eventually(namesIn, (names: string[]) => names.includes("keys"));
	await writeFile(join(audit, beside), Buffer.alloc(96 * 1024 * 1024));
	const copies = join(folder, "copies");
	await mkdir(copies);
	const path = join(copies, "one");
	const making = adminDone(gateway, "POST", "/api/backup", { path });
	const isCopying = async () =>
		(await readdir(copies, { recursive: true })).some((name) => name.endsWith(beside));
	await eventually(isCopying, (is_copying) => is_copying);
	const person = { tenant: "local", user: "local" };
	const erased = await adminDone<{ keys: number }>(gateway, "POST", "/api/audit/erase", person);
	assert.equal(erased.keys, 1);
	await making;
	for (const data of [path, join(home, ".moorage")]) {
		const { code, stdout } = await runCli(["audit", "verify", "--data", data], { cwd: home });
		assert.equal(code, 0, stdout);
	}
});

test("an export has configuration, catalog and versions, and no secret", async () => {
	const home = join(folder, "one");
	const { code, stdout, stderr } = await runCli(["export"], { cwd: home });
	assert.equal(code, 0, stderr);
	assert.doesNotMatch(stdout, new RegExp(canary));
	const key = (await readFile(join(home, ".moorage", "keys", "store-key"), "utf8")).trim();
	assert.ok(!stdout.includes(key));
	const exported = JSON.parse(stdout) as {
		configuration: { servers: Record<string, { env: object }> };
		catalogs: { server: string; tools: unknown[] }[];
		versions: { server: string; number: number; plan?: unknown }[];
	};
	assert.deepEqual(exported.configuration.servers["echo"]?.env, { API_KEY: "${secret:api_key}" });
	assert.equal(exported.catalogs[0]?.server, "echo");
	assert.equal(exported.versions[0]?.number, 1);
	assert.equal(exported.versions[0]?.plan, undefined);
	const file = join(folder, "export.json");
	assert.equal((await runCli(["export", file], { cwd: home })).code, 0);
	assert.doesNotMatch(await readFile(file, "utf8"), new RegExp(canary));
	const again = await runCli(["export", file], { cwd: home });
	assert.equal(again.code, 1, "what is there is not written over");
});
