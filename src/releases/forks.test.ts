import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { serverPlan } from "../../test/support/fake-house.ts";
import { forkHouse } from "../../test/support/fork-house.ts";
import { Volumes } from "../hosting/volumes.ts";
import type { Fork, Forks } from "./forks.ts";

/** A fork of a server that has run, and whose volumes its server may use. */
async function lentFork(forks: Forks, data: string): Promise<Fork> {
	assert.ok((await new Volumes(data).open("files", "", 1)).ok);
	const made = await forks.make(serverPlan("files"), "copy");
	assert.ok(made.ok);
	await forks.lend(made.value, true);
	return made.value;
}

test("a fork has its volumes back when the gateway died while they were lent", async (context) => {
	const { data, open, forks } = await forkHouse(context);
	await lentFork(forks, data);
	const { forks: again } = await open();
	assert.equal(again.find("copy")?.server, "files");
	const opened = await new Volumes(data).open("copy", "", 1);
	assert.ok(opened.ok, JSON.stringify(opened));
});

test("a fork whose volumes cannot be given back is told of, and is there", async (context) => {
	const { data, log, open, forks } = await forkHouse(context);
	await lentFork(forks, data);
	const notes = join(data, "volumes", "copy", "shared.json");
	await writeFile(notes, "{");
	const { forks: again } = await open();
	assert.notEqual(again.find("copy"), undefined);
	assert.match(JSON.stringify(log), /could not be given back/);
	assert.equal(await readFile(notes, "utf8"), "{");
});

test("there may be as many forks as may be, also when they are asked for at once", async (context) => {
	// forks_max
	const { forks, open } = await forkHouse(context);
	for (let at = 0; at < 98; at += 1) {
		assert.ok((await forks.make(serverPlan("files"), `fork-${at}`)).ok);
	}
	const last = await Promise.all(
		["a", "b", "c"].map((name) => forks.make(serverPlan("files"), name)),
	);
	assert.deepEqual(
		last.map(({ ok }) => ok),
		[true, true, false],
	);
	assert.equal(forks.all().length, 100);
	const refused = await forks.make(serverPlan("files"), "d");
	assert.deepEqual(refused, {
		ok: false,
		problem: {
			code: "failed",
			message:
				"There are 100 forks already. Remove one that is no longer needed with `moorage rm`, " +
				"then try again.",
		},
	});
	assert.equal((await open()).forks.all().length, 100, "nothing is lost, and nothing is left");
	await forks.remove("fork-0");
	assert.ok((await forks.make(serverPlan("files"), "d")).ok);
});
