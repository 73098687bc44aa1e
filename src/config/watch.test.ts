import assert from "node:assert/strict";
import { rename, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { type Clock, systemClock, type Timer } from "../lib/clock.ts";
import { watchFile } from "./watch.ts";

/** A clock whose timers fire when the test says so; `next` waits for one to be set. */
class HandClock implements Clock {
	readonly #waiting: (() => void)[] = [];
	#timer: { delay_ms: number; fn: () => void } | undefined;

	now = () => 0;
	monotonic = () => 0;
	after = (delay_ms: number, fn: () => void) => this.afterIdle(delay_ms, fn);

	afterIdle(delay_ms: number, fn: () => void): Timer {
		const timer = { delay_ms, fn };
		this.#timer = timer;
		for (const resume of this.#waiting.splice(0)) resume();
		return {
			cancel: () => {
				if (this.#timer === timer) this.#timer = undefined;
			},
		};
	}

	/** Fires the timer that is set, and waits for the one that the look sets after it. */
	async look(): Promise<number> {
		const timer = this.#timer;
		assert.ok(timer !== undefined, "a timer is set");
		this.#timer = undefined;
		timer.fn();
		while (this.#timer === undefined) {
			const { promise, resolve } = Promise.withResolvers<void>();
			this.#waiting.push(resolve);
			await promise;
		}
		return (this.#timer as { delay_ms: number }).delay_ms;
	}

	get pending(): boolean {
		return this.#timer !== undefined;
	}
}

interface Watched {
	readonly path: string;
	readonly folder: string;
	/** Resolves with the next change. */
	next(): Promise<void>;
	count(): number;
}

async function watched(context: TestContext, clock: Clock): Promise<Watched> {
	const folder = await tempFolder(context, { "mcp.json": "one" });
	const path = join(folder, "mcp.json");
	let count = 0;
	let told: (() => void) | undefined;
	const watch = watchFile(path, clock, () => {
		count += 1;
		told?.();
	});
	context.after(() => watch.close());
	const next = () =>
		new Promise<void>((resolve) => {
			told = resolve;
		});
	return { path, folder, next, count: () => count };
}

test("a file written in place is noticed", async (context) => {
	const file = await watched(context, systemClock);
	const change = file.next();
	await writeFile(file.path, "two");
	await change;
	assert.equal(file.count(), 1);
});

test("a file replaced by renaming is noticed, again and again", async (context) => {
	const file = await watched(context, systemClock);
	for (const text of ["two", "three"]) {
		const change = file.next();
		await writeFile(`${file.path}.tmp`, text);
		await rename(`${file.path}.tmp`, file.path);
		await change;
	}
	assert.equal(file.count(), 2);
});

test("a file that vanishes and comes back is noticed when it is back", async (context) => {
	const file = await watched(context, systemClock);
	const change = file.next();
	await unlink(file.path);
	await writeFile(file.path, "two");
	await change;
	assert.equal(file.count(), 1);
});

test("a link that is pointed elsewhere is noticed", async (context) => {
	const file = await watched(context, systemClock);
	const change = file.next();
	await writeFile(join(file.folder, "elsewhere"), "two");
	await symlink("elsewhere", `${file.path}.link`);
	await rename(`${file.path}.link`, file.path);
	await change;
	assert.equal(file.count(), 1);
});

test("a change is told once it has stayed the same for two looks", async (context) => {
	const clock = new HandClock();
	const file = await watched(context, clock);
	await writeFile(file.path, "half");
	assert.equal(await clock.look(), 100);
	await writeFile(file.path, "half and half");
	assert.equal(await clock.look(), 100);
	assert.equal(file.count(), 0);
	await clock.look();
	assert.equal(file.count(), 1);
	await clock.look();
	await clock.look();
	assert.equal(file.count(), 1);
});

test("looking goes on without any sign from the file system", async (context) => {
	const clock = new HandClock();
	const file = await watched(context, clock);
	assert.equal(await clock.look(), 2000);
	// Times alone make a new state of the file; the folder may have sent no sign of it yet.
	await utimes(file.path, 1, 1);
	await clock.look();
	await clock.look();
	assert.equal(file.count(), 1);
});

test("a file that is gone is no change, however often it is looked for", async (context) => {
	const clock = new HandClock();
	const file = await watched(context, clock);
	await unlink(file.path);
	for (let looks = 0; looks < 5; looks += 1) await clock.look();
	assert.equal(file.count(), 0);
	await writeFile(file.path, "back");
	await clock.look();
	await clock.look();
	assert.equal(file.count(), 1);
});

test("other files of the folder are no change", async (context) => {
	const clock = new HandClock();
	const file = await watched(context, clock);
	await writeFile(join(file.folder, "other"), "x");
	for (let looks = 0; looks < 4; looks += 1) await clock.look();
	assert.equal(file.count(), 0);
});

test("a change between the call and the first look is not missed", async (context) => {
	const clock = new HandClock();
	const folder = await tempFolder(context, { f: "one" });
	let count = 0;
	const watch = watchFile(join(folder, "f"), clock, () => {
		count += 1;
	});
	context.after(() => watch.close());
	await writeFile(join(folder, "f"), "two");
	await clock.look();
	await clock.look();
	assert.equal(count, 1);
});

test("a folder that is gone is waited for", async (context) => {
	const clock = new HandClock();
	const file = await watched(context, clock);
	await rm(file.folder, { recursive: true });
	for (let looks = 0; looks < 3; looks += 1) await clock.look();
	assert.equal(file.count(), 0);
});

test("a closed watch is silent and leaves no timer", async (context) => {
	const clock = new HandClock();
	const folder = await tempFolder(context, { f: "one" });
	const watch = watchFile(join(folder, "f"), clock, () => assert.fail("closed"));
	watch.close();
	watch.close();
	await writeFile(join(folder, "f"), "two");
	assert.equal(clock.pending, false);
});
