import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { all_migrations } from "../../src/store/migrate.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { execCli } from "../support/run-cli.ts";

const kept = new URL("../data-folders/", import.meta.url);
const releases = readdirSync(kept, { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map(({ name }) => name);

let folder: string;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-upgraded-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** What a client of that version remembers. */
interface Remembered {
	readonly session_id: string;
	readonly first_event: string;
	readonly answer: string;
}

/** The data folder of a release, as if its gateway had been stopped a moment ago. */
async function unpack(release: string, home: string): Promise<Remembered> {
	const data = join(home, ".moorage");
	await mkdir(data, { recursive: true, mode: 0o700 });
	const raw = new DatabaseSync(join(data, "moorage.db"));
	raw.exec(readFileSync(new URL(`${release}/moorage.sql`, kept), "utf8"));
	const now = Date.now();
	raw.prepare("update sessions set created_at_ms = ?, used_at_ms = ?").run(now, now);
	raw.prepare("update session_streams set opened_at_ms = ?, ended_at_ms = ?").run(now, now);
	raw.prepare("update session_events set at_ms = ?").run(now);
	raw.close();
	return JSON.parse(readFileSync(new URL(`${release}/client.json`, kept), "utf8")) as Remembered;
}

function headersOf({ session_id }: Remembered): Record<string, string> {
	return {
		"content-type": "application/json",
		accept: "application/json, text/event-stream",
		"mcp-session-id": session_id,
		"mcp-protocol-version": "2025-11-25",
	};
}

for (const release of releases) {
	test(`sessions and their streams go on after an upgrade from ${release}`, async (t) => {
		const home = join(folder, release);
		const client = await unpack(release, home);
		const servers = { progress: stdioFixture("progress") };
		const gateway = await startGateway({ servers }, { folder: home });
		t.after(() => gateway.stop());
		const headers = headersOf(client);
		const params = { name: "steps", arguments: { steps: 2 } };
		const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
		const called = await fetch(gateway.address("progress"), { method: "POST", headers, body });
		assert.equal(called.status, 200);
		assert.match(await called.text(), /2 steps/);
		const resumed = await fetch(gateway.address("progress"), {
			headers: { ...headers, "last-event-id": client.first_event },
		});
		assert.equal(resumed.status, 200);
		const replayed = await resumed.text();
		assert.match(replayed, /step 1/);
		assert.ok(replayed.includes(client.answer));
		const copies = await readdir(join(home, ".moorage", "before-upgrade"));
		assert.equal(copies.length, 1);
		const copy = new DatabaseSync(join(home, ".moorage", "before-upgrade", copies[0] ?? ""), {
			readOnly: true,
		});
		const session = copy.prepare("select id from sessions").get();
		assert.equal(session?.["id"], client.session_id);
		copy.close();
	});
}

/**
 * The newest migration of the version before this one. Those after it are of the release to come:
 * no version was published between them.
 */
const newest_released = "0002-versions";

test("there is a data folder of every version that had a migration of its own", () => {
	const last = (release: string) => {
		const raw = new DatabaseSync(":memory:");
		raw.exec(readFileSync(new URL(`${release}/moorage.sql`, kept), "utf8"));
		const row = raw.prepare("select max(name) as name from kysely_migration").get();
		raw.close();
		return row?.["name"];
	};
	const left = new Set(releases.map(last));
	const names = Object.keys(all_migrations).sort();
	const needed = names.slice(0, names.indexOf(newest_released) + 1);
	assert.deepEqual(
		needed.filter((name) => !left.has(name)),
		[],
	);
});

test("a version older than its data folder refuses, and says what to do", async () => {
	const home = join(folder, "newer");
	const data = join(home, ".moorage");
	await mkdir(data, { recursive: true });
	await writeFile(join(home, "mcp.json"), '{"mcpServers":{}}');
	const raw = new DatabaseSync(join(data, "moorage.db"));
	raw.exec('create table kysely_migration ("name" text primary key, "timestamp" text)');
	for (const name of [...Object.keys(all_migrations), "9999-later"]) {
		raw.prepare("insert into kysely_migration values (?, '')").run(name);
	}
	raw.close();
	const { code, stderr } = await execCli(["up", "mcp.json", "--listen", "127.0.0.1:0"], {
		cwd: home,
	});
	assert.equal(code, 3);
	assert.match(stderr, /made by a newer version of Moorage/);
	assert.match(stderr, /Use that version or a later one/);
	assert.match(stderr, /before-upgrade/);
	assert.ok(!(await readdir(data)).includes("before-upgrade"), "it is left untouched");
});
