import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { copyBeforeUpgrade, upgrades_folder } from "./copy-before-upgrade.ts";
import { openDatabase } from "./database.ts";
import { all_migrations } from "./migrate.ts";

function place(context: TestContext) {
	const folder = mkdtempSync(join(tmpdir(), "moorage-upgrade-"));
	context.after(() => rmSync(folder, { recursive: true }));
	const list = () => {
		try {
			return readdirSync(join(folder, upgrades_folder)).sort();
		} catch {
			return [];
		}
	};
	return { path: join(folder, "moorage.db"), copies: join(folder, upgrades_folder), list };
}

const [oldest = ""] = Object.keys(all_migrations).sort();
const first_only = { [oldest]: all_migrations[oldest] as (typeof all_migrations)[string] };

test("what a version before left is copied before its tables are changed", async (context) => {
	const { path, copies, list } = place(context);
	const before = await openDatabase({ path, migrations: first_only });
	assert.ok(before.ok);
	await before.value.connection.insertInto("meta").values({ key: "mark", value: "kept" }).execute();
	await before.value.close();
	assert.deepEqual(list(), [], "a new database has nothing to copy");
	const after = await openDatabase({ path, clock: new FakeClock() });
	assert.ok(after.ok);
	await after.value.close();
	const [name = ""] = list();
	assert.equal(list().length, 1);
	assert.match(name, /^moorage-\d{8}T\d{6}Z-0002-versions[.]db$/);
	if (process.platform !== "win32") assert.equal(statSync(join(copies, name)).mode & 0o777, 0o600);
	const copy = new DatabaseSync(join(copies, name));
	assert.equal(copy.prepare("select value from meta").get()?.["value"], "kept");
	const ledger = copy.prepare("select name from kysely_migration").all();
	assert.deepEqual(
		ledger.map((row) => row["name"]),
		[oldest],
	);
	copy.close();
	// The version before takes the copy as it is.
	const back = await openDatabase({ path: join(copies, name), migrations: first_only });
	assert.ok(back.ok);
	await back.value.close();
});

test("opening it again copies nothing, and neither does one that is newer", async (context) => {
	const { path, list } = place(context);
	for (const migrations of [all_migrations, all_migrations, first_only]) {
		const opened = await openDatabase({ path, migrations });
		assert.equal(opened.ok, migrations === all_migrations);
		if (opened.ok) await opened.value.close();
	}
	assert.deepEqual(list(), []);
});

test("an upgrade that cannot be copied is not begun", async (context) => {
	const { path, copies } = place(context);
	const before = await openDatabase({ path, migrations: first_only });
	assert.ok(before.ok);
	await before.value.close();
	writeFileSync(copies, "a file where the folder should be");
	const refused = await openDatabase({ path });
	assert.ok(!refused.ok);
	const still = await openDatabase({ path, migrations: first_only });
	assert.ok(still.ok, "the version before still runs on it");
	await still.value.close();
});

test("the newest three copies are kept, and what is no copy is left alone", async (context) => {
	const { path, copies, list } = place(context);
	const raw = new DatabaseSync(path);
	const clock = new FakeClock();
	const made: string[] = [];
	for (let round = 0; round < 5; round += 1) {
		copyBeforeUpgrade(raw, path, "0009-test", clock);
		if (round === 0) writeFileSync(join(copies, "notes.txt"), "mine");
		made.push(...list().filter((name) => !made.includes(name) && name !== "notes.txt"));
		await clock.advance(1_000);
	}
	raw.close();
	assert.deepEqual(list(), [...made.slice(-3), "notes.txt"]);
});
