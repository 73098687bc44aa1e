import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { sampleSession } from "../../test/support/store-samples.ts";
import { type Database, openDatabase } from "./database.ts";
import { all_migrations } from "./migrate.ts";
import { createRepositories } from "./repositories.ts";
import type { StoreProblem } from "./store-problem.ts";

let folder: string;
let path: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-database-"));
	path = join(folder, "state", "moorage.db");
});
afterEach(() => rm(folder, { recursive: true }));

async function openWell(): Promise<Database> {
	const opened = await openDatabase({ path });
	assert.ok(opened.ok, opened.ok ? "" : opened.problem.detail);
	return opened.value;
}

async function openBadly(where = path): Promise<StoreProblem> {
	const opened = await openDatabase({ path: where });
	assert.ok(!opened.ok);
	assert.ok(opened.problem.message.includes(where), "the message names the file");
	assert.doesNotMatch(opened.problem.message, /\bat .*:\d+/, "the message has no stack");
	return opened.problem;
}

async function mode(file: string): Promise<string> {
	return ((await stat(file)).mode & 0o777).toString(8);
}

/** A database with some pages of content, closed again. */
async function makeFilled(): Promise<void> {
	const database = await openWell();
	const { sessions } = createRepositories(database.connection);
	for (let n = 0; n < 200; n += 1) {
		await sessions.insert(sampleSession(`s${n}`, { client_info: "x".repeat(500) }));
	}
	await database.close();
}

describe("opening a database", () => {
	it("makes the folder and the file for this user only", async () => {
		const database = await openWell();
		await createRepositories(database.connection).meta.set("a", "1");
		assert.equal(await mode(join(folder, "state")), "700");
		for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(await mode(file), "600");
		await database.close();
	});

	it("takes the rights of others off a file that has them, and leaves the folder alone", async () => {
		await (await openWell()).close();
		await chmod(path, 0o644);
		await chmod(join(folder, "state"), 0o755);
		await (await openWell()).close();
		assert.equal(await mode(path), "600");
		assert.equal(await mode(join(folder, "state")), "755");
	});

	it("sets write-ahead logging, NORMAL synchronisation and foreign keys", async () => {
		const opened = await openDatabase({ path: ":memory:" });
		assert.ok(opened.ok);
		await opened.value.close();
		const database = await openWell();
		const { events } = createRepositories(database.connection);
		const orphan = { session_id: "no", stream: "a", run: 1, about: "", opened_at_ms: 1 };
		await assert.rejects(events.openStream({ ...orphan, ended_at_ms: undefined }), /FOREIGN KEY/);
		const reader = new DatabaseSync(path, { readOnly: true });
		assert.equal(reader.prepare("pragma journal_mode").get()?.["journal_mode"], "wal");
		reader.close();
		await database.close();
	});

	it("keeps what was written when it is opened again", async () => {
		const first = await openWell();
		await createRepositories(first.connection).meta.set("a", "1");
		await first.close();
		await first.close();
		const second = await openWell();
		assert.equal(await createRepositories(second.connection).meta.get("a"), "1");
		await second.close();
	});

	it("leaves one file behind when it is closed", async () => {
		await makeFilled();
		await assert.rejects(stat(`${path}-wal`), { code: "ENOENT" });
		assert.equal((await readFile(path)).subarray(0, 15).toString(), "SQLite format 3");
	});
});

describe("a database that cannot be opened", () => {
	it("is reported as damaged when the file is something else", async () => {
		await mkdir(join(folder, "state"));
		await writeFile(path, Buffer.alloc(8192, "no database "));
		const problem = await openBadly();
		assert.equal(problem.code, "corrupt");
		assert.match(problem.message, /Restore it from a backup, or move it away/);
		assert.equal((await readFile(path)).length, 8192);
	});

	it("is reported as damaged when part of the file is missing", async () => {
		await makeFilled();
		await truncate(path, 4096 * 5);
		assert.equal((await openBadly()).code, "corrupt");
	});

	it("is reported as damaged when pages in the middle are overwritten", async () => {
		await makeFilled();
		const bytes = await readFile(path);
		bytes.fill(0xa5, 4096 * 8, 4096 * 12);
		await writeFile(path, bytes);
		assert.equal((await openBadly()).code, "corrupt");
	});

	it("is reported as unreadable when the folder cannot be made or the path is a folder", async () => {
		await writeFile(join(folder, "file"), "");
		const below = await openBadly(join(folder, "file", "moorage.db"));
		assert.equal(below.code, "unreadable");
		assert.match(below.message, /choose another folder with --data/);
		await mkdir(path, { recursive: true });
		assert.equal((await openBadly()).code, "unreadable");
	});

	it("is reported as unreadable when this user has no access", {
		skip: process.getuid?.() === 0 ? "the superuser has access to everything" : false,
	}, async () => {
		await mkdir(join(folder, "state"), { mode: 0o500 });
		assert.equal((await openBadly()).code, "unreadable");
	});

	it("is left alone when it belongs to another program", async () => {
		await mkdir(join(folder, "state"));
		const foreign = new DatabaseSync(path);
		foreign.exec("create table bookmarks (url text)");
		foreign.close();
		assert.equal((await openBadly()).code, "foreign");
		const check = new DatabaseSync(path);
		const tables = check.prepare("select name from sqlite_schema").all();
		assert.deepEqual(
			tables.map((row) => row["name"]),
			["bookmarks"],
		);
		check.close();
	});

	it("is left alone when a newer version has changed it", async () => {
		const later = { ...all_migrations, "9999-from-the-future": { up: async () => {} } };
		const future = await openDatabase({ path, migrations: later });
		assert.ok(future.ok);
		await createRepositories(future.value.connection).meta.set("a", "1");
		await future.value.close();
		const problem = await openBadly();
		assert.equal(problem.code, "newer");
		assert.match(problem.message, /made by a newer version of Moorage/);
		assert.match(problem.detail, /9999-from-the-future/);
		const again = await openDatabase({ path, migrations: later });
		assert.ok(again.ok);
		assert.equal(await createRepositories(again.value.connection).meta.get("a"), "1");
		await again.value.close();
	});

	it("is unchanged after a migration that fails", async () => {
		await makeFilled();
		const broken = {
			...all_migrations,
			"9998-good": all_migrations["0001-initial"] as never,
			"9999-broken": { up: () => Promise.reject(new Error("a broken migration")) },
		};
		const failed = await openDatabase({ path, migrations: broken });
		assert.ok(!failed.ok);
		assert.equal(failed.problem.code, "failed");
		const database = await openWell();
		assert.equal((await createRepositories(database.connection).sessions.load()).length, 200);
		await database.close();
	});
});
