import assert from "node:assert/strict";
import {
	chmod,
	chown,
	link,
	mkdir,
	mkdtemp,
	open,
	rm,
	stat,
	symlink,
	truncate,
	unlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { diskUsage, unnamedUsage } from "./disk-usage.ts";

const nobody = 65_534;

let root = "";
beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), "moorage-disk-"));
});
afterEach(() => rm(root, { recursive: true }));

const block = Buffer.alloc(64 * 1024, 1);

async function bytesOf(...folders: string[]): Promise<number> {
	const usage = await diskUsage(folders);
	assert.equal(usage.complete, true);
	return usage.bytes;
}

test("everything in a folder counts, however deep, and in every folder", async () => {
	const empty = await bytesOf(root);
	let folder = root;
	for (let depth = 0; depth < 5; depth += 1) {
		folder = join(folder, "below");
		await mkdir(folder);
		await writeFile(join(folder, "file"), block);
	}
	const one = await bytesOf(root);
	assert(one - empty >= 5 * block.length, `${one - empty} bytes`);
	assert(one - empty < 8 * block.length, `${one - empty} bytes`);
	const other = await mkdtemp(join(tmpdir(), "moorage-disk-"));
	await writeFile(join(other, "file"), block);
	assert((await bytesOf(root, other)) >= one + block.length);
	await rm(other, { recursive: true });
});

test("a file with two names counts once, and a link to a file elsewhere not at all", async () => {
	await writeFile(join(root, "file"), block);
	const one = await bytesOf(root);
	await link(join(root, "file"), join(root, "again"));
	await symlink(process.execPath, join(root, "link"));
	await symlink("/", join(root, "everything"));
	assert((await bytesOf(root)) - one < block.length);
});

test("holes take no space", async () => {
	const empty = await bytesOf(root);
	await writeFile(join(root, "sparse"), "");
	await truncate(join(root, "sparse"), 1024 ** 3);
	assert((await bytesOf(root)) - empty < 1024 ** 2);
});

test("a folder that is not there takes nothing", async () => {
	assert.equal(await bytesOf(join(root, "nowhere")), 0);
});

test("what is hidden in a folder of one's own counts, and what others hide is noted", async (t) => {
	const me = process.geteuid?.();
	if (me === undefined || process.seteuid === undefined) return t.skip("Windows has no file modes");
	const others = join(root, "others");
	await mkdir(others, { mode: 0o700 });
	const folders = Object.entries({ unlisted: 0o300, unentered: 0o600, closed: 0o000 });
	// Nothing is closed to root.
	if (me === 0) await chown(root, nobody, nobody);
	if (me === 0) process.seteuid(nobody);
	try {
		for (const [name, mode] of folders) {
			await mkdir(join(root, name));
			await writeFile(join(root, name, "file"), block);
			await chmod(join(root, name), mode);
		}
		const usage = await diskUsage([root]);
		assert(usage.bytes >= folders.length * block.length, `${usage.bytes} bytes`);
		assert.equal(usage.complete, me !== 0, "root's own is closed to others");
		assert.equal((await stat(join(root, "unlisted"))).mode & 0o777, 0o700);
	} finally {
		for (const [name] of folders) await chmod(join(root, name), 0o700);
		if (me === 0) process.seteuid(0);
	}
});

test("a look ends early once enough was found", async () => {
	await Promise.all(
		Array.from({ length: 20 }, (_, index) => writeFile(join(root, String(index)), block)),
	);
	const { bytes } = await diskUsage([root], 2 * block.length);
	assert(bytes > 2 * block.length && bytes < 10 * block.length, `${bytes} bytes`);
});

test("a file without a name counts while it is open, on these folders' file system only", async (t) => {
	if (process.platform !== "linux") {
		t.skip("open files of other processes are seen on Linux only");
		return;
	}
	const path = join(root, "hidden");
	const handle = await open(path, "w");
	await handle.write(block);
	assert.equal(await unnamedUsage([process.pid], [root]), 0);
	await unlink(path);
	assert(await isAtLeast(block.length));
	assert.equal(await unnamedUsage([process.pid], ["/proc"]), 0);
	assert.equal(await unnamedUsage([2 ** 30], [root]), 0);
	// Asked for twice, it is still one file.
	const twice = await unnamedUsage([process.pid, process.pid], [root]);
	assert(twice < 2 * block.length, `${twice} bytes`);
	await handle.close();
	assert.equal(await unnamedUsage([process.pid], [root]), 0);
});

async function isAtLeast(bytes: number): Promise<boolean> {
	return (await unnamedUsage([process.pid], [root])) >= bytes;
}
