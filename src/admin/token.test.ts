import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemRandom } from "../lib/random.ts";
import { adminTokenPath, ensureAdminToken, readAdminToken } from "./token.ts";

async function createData(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-token-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	return join(folder, "data");
}

async function writeToken(data: string, text: string): Promise<string> {
	const path = adminTokenPath(data);
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	await writeFile(path, text, { mode: 0o600 });
	return path;
}

const good = `moorage_admin_${"x".repeat(43)}`;

test("the first start makes a token of 256 bits that only its owner can read", async (context) => {
	const data = await createData(context);
	const made = await ensureAdminToken(data, systemRandom);
	assert.ok(made.ok);
	assert.match(made.value, /^moorage_admin_[A-Za-z0-9_-]{43}$/);
	const path = adminTokenPath(data);
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
	assert.deepEqual(await readdir(dirname(path)), ["admin-token"]);
});

test("later starts and readers get the same token", async (context) => {
	const data = await createData(context);
	const made = await ensureAdminToken(data, systemRandom);
	assert.deepEqual(await ensureAdminToken(data, systemRandom), made);
	assert.deepEqual(await readAdminToken(data), made);
});

test("two folders have different tokens", async (context) => {
	const one = await ensureAdminToken(await createData(context), systemRandom);
	const other = await ensureAdminToken(await createData(context), systemRandom);
	assert.notDeepEqual(one, other);
});

test("starts at the same moment agree on one token", async (context) => {
	const data = await createData(context);
	const made = await Promise.all(
		Array.from({ length: 8 }, () => ensureAdminToken(data, systemRandom)),
	);
	assert.ok(made.every((outcome) => outcome.ok));
	assert.equal(new Set(made.map((outcome) => JSON.stringify(outcome))).size, 1);
});

test("reading a token that was never made says how to make one", async (context) => {
	const outcome = await readAdminToken(await createData(context));
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.kind, "missing");
	assert.match(outcome.problem.next, /moorage up/);
});

test("a token file that others can read is refused with the command to run", async (context) => {
	const data = await createData(context);
	const path = await writeToken(data, good);
	for (const mode of [0o640, 0o604, 0o610, 0o602]) {
		await chmod(path, mode);
		for (const outcome of [
			await readAdminToken(data),
			await ensureAdminToken(data, systemRandom),
		]) {
			assert.ok(!outcome.ok);
			assert.equal(outcome.problem.kind, "loose");
			assert.equal(outcome.problem.next, `Run: chmod 600 ${path}`);
			assert.ok(!JSON.stringify(outcome).includes(good));
		}
	}
	await chmod(path, 0o600);
	assert.deepEqual(await readAdminToken(data), { ok: true, value: good });
});

test("a keys folder that others can enter is refused with the command to run", async (context) => {
	const data = await createData(context);
	const folder = dirname(await writeToken(data, good));
	await chmod(folder, 0o755);
	const outcome = await readAdminToken(data);
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.next, `Run: chmod 700 ${folder}`);
});

test("a path with special characters is quoted in the command to run", async (context) => {
	const data = join(await createData(context), "it's here");
	const path = await writeToken(data, good);
	await chmod(path, 0o644);
	const outcome = await readAdminToken(data);
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.next, `Run: chmod 600 '${path.replace("'", `'\\''`)}'`);
});

for (const [what, text] of [
	["an empty file", ""],
	["a short token", "moorage_admin_abc"],
	["another text", "x".repeat(57)],
	["a large file", good.repeat(10)],
] as const) {
	test(`${what} is not taken for a token, and is not replaced`, async (context) => {
		const data = await createData(context);
		await writeToken(data, text);
		const outcome = await ensureAdminToken(data, systemRandom);
		assert.ok(!outcome.ok);
		assert.equal(outcome.problem.kind, "damaged");
	});
}

test("a symbolic link is not followed to a token", async (context) => {
	const data = await createData(context);
	const path = await writeToken(data, good);
	await rm(path);
	await writeFile(join(data, "elsewhere"), good, { mode: 0o600 });
	await symlink(join(data, "elsewhere"), path);
	const outcome = await readAdminToken(data);
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.kind, "damaged");
});

test("a data folder that cannot be written is a problem, not an exception", async (context) => {
	const data = await createData(context);
	await writeFile(data, "a file where the folder should be");
	const outcome = await ensureAdminToken(data, systemRandom);
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.kind, "unreadable");
	assert.ok(outcome.problem.message.includes(adminTokenPath(data)));
});
