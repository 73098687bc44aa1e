import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemRandom } from "../lib/random.ts";
import { ensureKeyFile } from "./key-file.ts";

async function place(context: TestContext): Promise<{ folder: string; path: string }> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-key-"));
	context.after(() => rm(folder, { recursive: true }));
	return { folder, path: join(folder, "keys", "a-key") };
}

test("a key is made once, and only its owner can read it", async (context) => {
	const { path } = await place(context);
	const first = await ensureKeyFile(path, 32, systemRandom);
	const second = await ensureKeyFile(path, 32, systemRandom);
	assert.ok(first.ok && second.ok);
	assert.equal(first.value.length, 32);
	assert.deepEqual(first.value, second.value);
	if (process.platform === "win32") return;
	assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("processes that start at once get the same key, and leave nothing else", async (context) => {
	const { folder, path } = await place(context);
	const all = await Promise.all(
		Array.from({ length: 8 }, () => ensureKeyFile(path, 32, systemRandom)),
	);
	const keys = new Set(
		all.map((one) => (one.ok ? one.value.toString("hex") : one.problem.message)),
	);
	assert.equal(keys.size, 1);
	assert.deepEqual(await readdir(join(folder, "keys")), ["a-key"]);
});

test("a key that others can read is refused, with the command that helps", async (context) => {
	if (process.platform === "win32") return context.skip("Windows has no file modes");
	const { path } = await place(context);
	await ensureKeyFile(path, 32, systemRandom);
	await chmod(path, 0o644);
	const refused = await ensureKeyFile(path, 32, systemRandom);
	assert.ok(!refused.ok);
	assert.match(refused.problem.next, /chmod 600/);
});

test("a file that holds no key is refused, not replaced", async (context) => {
	const { path } = await place(context);
	await ensureKeyFile(path, 32, systemRandom);
	await writeFile(path, "something else\n");
	const refused = await ensureKeyFile(path, 32, systemRandom);
	assert.ok(!refused.ok);
	assert.match(refused.problem.message, /does not hold a key/);
});
