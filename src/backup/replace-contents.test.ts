import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { tempFolder } from "../../test/support/temp-folder.ts";
import {
	contentsOf,
	describeRecovery,
	recoverRestore,
	replaceContents,
} from "./replace-contents.ts";
import { type RestoreDisk, system_restore_disk } from "./restore-disk.ts";

/** What a process that was killed does: nothing more. */
class Killed extends Error {}

/** The machine's disk, until `steps` changes were made; from then on every use of it rejects. */
function diskUntil(steps: number): RestoreDisk & { made: number } {
	const disk = { made: 0, ...system_restore_disk };
	const step = async (change: () => Promise<void>) => {
		if (disk.made >= steps) throw new Killed("killed");
		disk.made += 1;
		await change();
	};
	disk.makeFolder = (path) => step(() => system_restore_disk.makeFolder(path));
	disk.rename = (from, to) => step(() => system_restore_disk.rename(from, to));
	disk.replace = (path, text) => step(() => system_restore_disk.replace(path, text));
	disk.sync = (path) => step(() => system_restore_disk.sync(path));
	disk.remove = (path) => removePiecemeal(path, step);
	return disk;
}

/** As the system does it: one name after the other, so that a kill leaves half of a tree. */
async function removePiecemeal(
	path: string,
	step: (change: () => Promise<void>) => Promise<void>,
): Promise<void> {
	const names = await readdir(path).catch(() => []);
	for (const name of names) await removePiecemeal(join(path, name), step);
	await step(() => rm(path, { recursive: true, force: true }));
}

type Contents = Readonly<Record<string, string>>;

async function fillWith(folder: string, contents: Contents, kind: string): Promise<void> {
	for (const [name, text] of Object.entries(contents)) {
		await mkdir(join(folder, name));
		await writeFile(join(folder, name, kind), text);
	}
}

async function readAll(data: string): Promise<Contents> {
	const found: Record<string, string> = {};
	for (const name of await contentsOf(data)) {
		const kinds = await readdir(join(data, name));
		const texts = kinds.map(
			async (kind) => `${kind}:${await readFile(join(data, name, kind), "utf8")}`,
		);
		found[name] = (await Promise.all(texts)).join();
	}
	return found;
}

function expected(contents: Contents, kind: string): Contents {
	const pairs = Object.entries(contents).map(([name, text]) => [name, `${kind}:${text}`]);
	return Object.fromEntries(pairs) as Contents;
}

async function replace(data: string, after: Contents, disk: RestoreDisk): Promise<void> {
	const present = await contentsOf(data);
	const fill = async (folder: string) => {
		await fillWith(folder, after, "after");
		return undefined;
	};
	assert.equal(await replaceContents({ data, id: "1f2e3d", present, fill }, disk), undefined);
}

const names = fc.constantFrom("audit", "keys", "volumes", "moorage.db", "moorage.lock", "calls");
const contents = fc.dictionary(names, fc.string({ maxLength: 8 }), { maxKeys: 5 });

test("wherever a restore is killed, and its undoing after it, all is as before or as it was to be", {
	timeout: 120_000,
}, async (t) => {
	const root = await tempFolder(t);
	let runs = 0;
	const settled = fc.asyncProperty(
		contents,
		contents,
		fc.nat({ max: 60 }),
		fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
		async (before, after, steps, undo_steps) => {
			runs += 1;
			const data = join(root, String(runs));
			await mkdir(join(data, "run"), { recursive: true });
			await writeFile(join(data, "run", "gateway.lock"), "stays");
			await fillWith(data, before, "before");
			const disk = diskUntil(steps);
			const ended = await replace(data, after, disk).then(
				() => true,
				(error: unknown) => {
					assert.match(String(error), /killed/);
					return false;
				},
			);
			for (const undo of undo_steps) await recoverRestore(data, diskUntil(undo));
			const recovered = await recoverRestore(data);
			assert.ok(recovered.ok, JSON.stringify(recovered));
			const found = JSON.stringify(await readAll(data));
			const [old_one, new_one] = [expected(before, "before"), expected(after, "after")].map((one) =>
				JSON.stringify(Object.fromEntries(Object.entries(one).sort())),
			);
			const sorted = JSON.stringify(
				Object.fromEntries(Object.entries(JSON.parse(found) as Contents).sort()),
			);
			assert.ok(sorted === new_one || (!ended && sorted === old_one), `${sorted} of ${steps}`);
			assert.deepEqual(
				(await readdir(data)).filter((name) => name.startsWith(".")),
				[],
			);
			assert.equal(await readFile(join(data, "run", "gateway.lock"), "utf8"), "stays");
			assert.deepEqual(await recoverRestore(data), { ok: true, value: "nothing" });
			await rm(data, { recursive: true });
		},
	);
	await fc.assert(settled, { numRuns: 150 });
});

test("every single step of one restore can be its last", async (t) => {
	const before = { keys: "k1", volumes: "v1", audit: "a1" };
	const after = { keys: "k2", volumes: "v2", calls: "c2" };
	const told = new Set<string>();
	let complete = false;
	for (let steps = 0; !complete; steps += 1) {
		const data = await tempFolder(t);
		await fillWith(data, before, "before");
		await replace(data, after, diskUntil(steps)).then(
			() => {
				complete = true;
			},
			() => undefined,
		);
		// What the undoing of the same process could not do is left for the next one.
		const recovered = await recoverRestore(data);
		assert.ok(recovered.ok);
		told.add(recovered.value);
		const found = await readAll(data);
		const is_new = found["keys"] === "after:k2";
		assert.deepEqual(found, is_new ? expected(after, "after") : expected(before, "before"));
		assert.ok(steps < 100);
	}
	assert.deepEqual([...told].sort(), ["nothing", "tidied", "undone"]);
});

test("a disk that fails in the middle, and works again, leaves what was there", async (t) => {
	const data = await tempFolder(t);
	const before = { keys: "k1", volumes: "v1" };
	await fillWith(data, before, "before");
	let renames = 0;
	const disk = {
		...system_restore_disk,
		rename: (from: string, to: string) => {
			renames += 1;
			if (renames === 3) return Promise.reject(new Error("EIO"));
			return system_restore_disk.rename(from, to);
		},
	};
	await assert.rejects(replace(data, { keys: "k2" }, disk), /EIO/);
	assert.deepEqual(await readAll(data), expected(before, "before"));
	assert.deepEqual(await readdir(data), ["keys", "volumes"]);
});

test("a backup that turns out to be damaged while it is copied changes nothing", async (t) => {
	const data = await tempFolder(t);
	await fillWith(data, { keys: "k1" }, "before");
	const problem = { code: "backup_damaged", message: "damaged", detail: "" } as const;
	const fill = async (folder: string) => {
		await fillWith(folder, { keys: "half" }, "after");
		return problem;
	};
	const given = { data, id: "a", present: await contentsOf(data), fill };
	assert.equal(await replaceContents(given), problem);
	assert.deepEqual(await readdir(data), ["keys"]);
});

test("a folder that does not say how far it was is kept and reported", async (t) => {
	const data = await tempFolder(t);
	const work = join(data, ".restore-0a0b0c");
	await mkdir(work);
	// Nothing was put in yet.
	assert.deepEqual(await recoverRestore(data), { ok: true, value: "tidied" });
	for (const marker of [undefined, "", "{", '{"phase":"flying"}', '{"phase":"swapping"}']) {
		await mkdir(join(work, "old", "volumes"), { recursive: true });
		if (marker !== undefined) await writeFile(join(work, "restore.json"), marker);
		const recovered = await recoverRestore(data);
		assert.ok(!recovered.ok);
		assert.equal(recovered.problem.code, "restore_unsettled");
		assert.match(recovered.problem.message, /\.restore-0a0b0c.*by hand/s);
		assert.ok(existsSync(join(work, "old", "volumes")));
	}
});

test("what came into the place of something that is to come back is not written over", async (t) => {
	const data = await tempFolder(t);
	const work = join(data, ".restore-0a0b0c");
	for (const name of ["old", "new"]) await mkdir(join(work, name), { recursive: true });
	await fillWith(join(work, "old"), { volumes: "v1" }, "before");
	const marker = { phase: "swapping", present: ["volumes"], arriving: ["keys"] };
	await fillWith(join(work, "new"), { keys: "k2" }, "after");
	await writeFile(join(work, "restore.json"), JSON.stringify(marker));
	await fillWith(data, { volumes: "later" }, "other");
	const recovered = await recoverRestore(data);
	assert.ok(!recovered.ok);
	assert.match(recovered.problem.message, /cannot be put back.*"volumes" is there twice/s);
	assert.deepEqual(await readAll(data), expected({ volumes: "later" }, "other"));
	assert.deepEqual(await readAll(join(work, "old")), expected({ volumes: "v1" }, "before"));
});

test("a marker that names links and files moves them as they are", {
	skip: process.platform === "win32" ? "making links needs a right there" : false,
}, async (t) => {
	const data = await tempFolder(t, { "moorage.db": "one" });
	await symlink("elsewhere", join(data, "volumes"));
	const present = await contentsOf(data);
	const fill = async (folder: string) => {
		await writeFile(join(folder, "moorage.db"), "two");
		return undefined;
	};
	await assert.rejects(
		replaceContents({ data, id: "a", present, fill }, diskUntil(9)),
		/killed; the next start puts/,
	);
	assert.deepEqual(await recoverRestore(data), { ok: true, value: "undone" });
	assert.equal(await readFile(join(data, "moorage.db"), "utf8"), "one");
	assert.deepEqual((await contentsOf(data)).sort(), ["moorage.db", "volumes"]);
});

test("whoever should know of an interrupted restore reads what became of it", () => {
	assert.equal(describeRecovery("/data", "nothing"), undefined);
	assert.match(describeRecovery("/data", "tidied") ?? "", /\/data was removed/);
	assert.match(describeRecovery("/data", "undone") ?? "", /put back; run `moorage restore` again/);
});
