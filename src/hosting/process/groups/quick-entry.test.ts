import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { tempFolder } from "../../../../test/support/temp-folder.ts";
import { until } from "../../../../test/support/until.ts";
import { QuickEntry } from "./quick-entry.ts";
import { noGroups } from "./tier.ts";

async function setUp(t: TestContext) {
	const folder = join(await tempFolder(t), "own");
	await mkdir(folder);
	const file = join(folder, "cgroup.procs");
	await writeFile(file, "");
	const clock = new FakeClock();
	const hierarchy = { version: 1, run_folder: join(folder, "run"), uses: ["pids"] } as const;
	const tier = { hierarchies: [hierarchy], obstacles: {} };
	const own = [{ version: 1, controllers: ["pids"], folder, mount: folder }] as const;
	const written = () => readFileSync(file, "utf8");
	return { clock, tier, own, file, written };
}

test("this process is moved to where it is already", async (t) => {
	const { clock, tier, own, written } = await setUp(t);
	new QuickEntry(clock, tier, own).begin();
	await until(() => written() === "0");
});

test("it is done once where many start at the same moment, and again a little later", async (t) => {
	const { clock, tier, own, file, written } = await setUp(t);
	const entry = new QuickEntry(clock, tier, own);
	entry.begin();
	await until(() => written() === "0");
	await writeFile(file, "");
	await clock.advance(7);
	entry.begin();
	assert.equal(written(), "");
	await clock.advance(1);
	await until(() => {
		entry.begin();
		return written() === "0";
	});
});

test("where there are no groups, or none of this process, nothing is done", async (t) => {
	const { clock, tier, own, written } = await setUp(t);
	new QuickEntry(clock, noGroups("none here"), own).begin();
	new QuickEntry(clock, tier, []).begin();
	assert.equal(written(), "");
});
