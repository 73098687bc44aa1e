import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openDatabase } from "./database.ts";
import { createRepositories } from "./repositories.ts";

const program = fileURLToPath(new URL("../../test/support/store-child.ts", import.meta.url));

let folder: string;
let path: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-crash-"));
	path = join(folder, "moorage.db");
});
afterEach(() => rm(folder, { recursive: true }));

function start(task: string): ChildProcessByStdio<null, Readable, null> {
	return spawn(process.execPath, [program, task, path], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Kills the child once it has said so many lines; returns every line it said. */
async function killAfter(
	child: ChildProcessByStdio<null, Readable, null>,
	lines_min: number,
): Promise<string[]> {
	const lines: string[] = [];
	const exited = once(child, "exit");
	for await (const line of createInterface({ input: child.stdout })) {
		lines.push(line);
		if (lines.length === lines_min) child.kill("SIGKILL");
	}
	assert.deepEqual(await exited, [null, "SIGKILL"]);
	return lines;
}

describe("a process that is killed while it writes", () => {
	it("leaves a database that opens and holds every row it said was committed", async () => {
		for (const lines_min of [1, 60, 200]) {
			await rm(path, { force: true });
			const said = await killAfter(start("write"), lines_min);
			const opened = await openDatabase({ path });
			assert.ok(opened.ok);
			const stored = await createRepositories(opened.value.connection).sessions.load();
			const ids = new Set(stored.map((session) => session.id));
			for (const n of said) assert.ok(ids.has(`s${n}`), `row ${n} was committed`);
			// Written in order, so what is there has no holes.
			for (let n = 0; n < stored.length; n += 1) assert.ok(ids.has(`s${n}`));
			await opened.value.close();
		}
	});
});

describe("several processes that open one empty folder at once", () => {
	it("build the tables once and all go on", async () => {
		const children = [1, 2, 3].map(() => start("count"));
		const said = await Promise.all(children.map((child) => readToEnd(child)));
		assert.deepEqual(said.toSorted(), ["1", "2", "3"]);
	});
});

async function readToEnd(child: ChildProcessByStdio<null, Readable, null>): Promise<string> {
	const exited = once(child, "exit");
	let text = "";
	for await (const chunk of child.stdout) text += String(chunk);
	assert.deepEqual(await exited, [0, null]);
	return text.trim();
}
