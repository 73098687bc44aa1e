import assert from "node:assert/strict";
import {
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	stat,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { VolumeCopies } from "./volume-copies.ts";

async function setUp(context: TestContext) {
	const data = await mkdtemp(join(tmpdir(), "moorage-volumes-"));
	context.after(() => rm(data, { recursive: true }));
	const stilled: string[] = [];
	const stillness = {
		async still(server: string) {
			stilled.push(`still ${server}`);
			return async () => void stilled.push(`on ${server}`);
		},
	};
	const copies = new VolumeCopies(data, stillness, new SeededRandom(5));
	const path = (...parts: string[]) => join(data, "volumes", ...parts);
	const write = async (text: string, ...parts: string[]) => {
		await mkdir(dirname(path(...parts)), { recursive: true });
		await writeFile(path(...parts), text);
	};
	const read = (...parts: string[]) => readFile(path(...parts), "utf8");
	return { copies, stilled, path, write, read };
}

test("a copy has every volume of a server, whose own it leaves alone", async (context) => {
	const { copies, stilled, path, write, read } = await setUp(context);
	await write("a", "files", "shared", "a.txt");
	await write("b", "files", "ab12", "deep", "b.txt");
	await write('{"server":"files","scope_key":""}\n', "files", "shared.json");
	await symlink("a.txt", path("files", "shared", "link"));
	await copies.copy("files", "copy");
	assert.equal(await read("copy", "shared", "a.txt"), "a");
	assert.equal(await read("copy", "ab12", "deep", "b.txt"), "b");
	assert.equal(await read("copy", "shared", "link"), "a");
	assert.deepEqual(JSON.parse(await read("copy", "shared.json")), {
		server: "copy",
		scope_key: "",
	});
	await write("changed", "copy", "shared", "a.txt");
	assert.equal(await read("files", "shared", "a.txt"), "a");
	assert.deepEqual(stilled, ["still files", "on files"]);
});

test("a server that has never run has nothing to copy, and that is no failure", async (context) => {
	const { copies, path } = await setUp(context);
	await copies.copy("files", "copy");
	assert.deepEqual(await readdir(path("copy")), []);
});

test("a server goes on even where its copy fails", async (context) => {
	const { copies, stilled, write } = await setUp(context);
	await write("a", "files", "shared", "a.txt");
	await write("in the way", "copy", "shared");
	await assert.rejects(copies.copy("files", "copy"));
	assert.deepEqual(stilled, ["still files", "on files"]);
});

test("a fork's volumes take the place of the server's, and nothing else is left", async (context) => {
	const { copies, path, write, read } = await setUp(context);
	await write("old", "files", "shared", "a.txt");
	await write("new", "copy", "shared", "a.txt");
	await write('{"server":"copy","scope_key":""}\n', "copy", "shared.json");
	const removeOld = await copies.replace("files", "copy");
	const [aside = ""] = (await readdir(path())).filter((name) => name.startsWith("."));
	assert.equal(await read(aside, "shared", "a.txt"), "old", "whoever uses it may go on");
	await removeOld();
	assert.equal(await read("files", "shared", "a.txt"), "new");
	assert.match(await read("files", "shared.json"), /"server":"files"/);
	assert.deepEqual(await readdir(path()), ["files"]);
});

test("volumes that cannot be swapped stay where they were", async (context) => {
	const { copies, path, write, read } = await setUp(context);
	await write("old", "files", "shared", "a.txt");
	await assert.rejects(copies.replace("files", "missing"));
	assert.equal(await read("files", "shared", "a.txt"), "old");
	assert.deepEqual(await readdir(path()), ["files"]);
});

test("what was set aside by a gateway that is gone is removed, and nothing else", async (context) => {
	const { copies, path, write } = await setUp(context);
	await copies.sweep();
	await write("old", ".replaced-0011", "shared", "a.txt");
	await write("a", "files", "shared", "a.txt");
	await copies.sweep();
	assert.deepEqual(await readdir(path()), ["files"]);
});

test("a server whose volumes were set aside by a gateway that died at once has them back", async (context) => {
	const { copies, path, write, read } = await setUp(context);
	await write("old", "my-files", "shared", "a.txt");
	await write("new", "copy", "shared", "a.txt");
	await copies.replace("my-files", "copy");
	// As it is between the two steps of that.
	await rename(path("my-files"), path("copy"));
	await copies.sweep();
	assert.equal(await read("my-files", "shared", "a.txt"), "old");
	assert.equal(await read("copy", "shared", "a.txt"), "new");
	assert.deepEqual(await readdir(path()), ["copy", "my-files"]);
});

test("a server has back what was set aside last", async (context) => {
	const { copies, path, write, read } = await setUp(context);
	await write("0", "files", "shared", "a.txt");
	for (const text of ["1", "2", "3"]) {
		await write(text, "copy", "shared", "a.txt");
		await copies.replace("files", "copy");
		await untilLater(path("files"));
	}
	await rename(path("files"), path("copy"));
	await copies.sweep();
	assert.equal(await read("files", "shared", "a.txt"), "2");
	assert.deepEqual(await readdir(path()), ["copy", "files"]);

	/** Until the file system's clock has gone on: it tells which folder was renamed last. */
	async function untilLater(folder: string): Promise<void> {
		const { ctimeMs } = await stat(folder);
		const probe = async () => {
			await writeFile(`${folder}.probe`, "");
			return (await stat(`${folder}.probe`)).ctimeMs;
		};
		while ((await probe()) <= ctimeMs);
		await rm(`${folder}.probe`);
	}
});

test("removing volumes that are not there is no failure", async (context) => {
	const { copies, path, write } = await setUp(context);
	await write("a", "files", "shared", "a.txt");
	await copies.remove("files");
	await copies.remove("files");
	assert.deepEqual(await readdir(path()), []);
});
