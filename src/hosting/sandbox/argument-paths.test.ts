import assert from "node:assert/strict";
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import type { ArgumentPlace } from "./argument-paths.ts";
import { findArgumentPaths } from "./argument-paths.ts";

const root = realpathSync(await mkdtemp(join(tmpdir(), "moorage-arguments-")));
after(() => rm(root, { recursive: true }));
const at = (name: string): string => join(root, name);

beforeEach(() => {
	rmSync(root, { recursive: true });
	for (const name of ["work", "notes/deep", "data/volumes/it", "data/packages/p"]) {
		mkdirSync(at(name), { recursive: true });
	}
	for (const name of ["work/here.db", "notes/file.txt", "work/server.mjs", "work/moorage.yaml"]) {
		writeFileSync(at(name), "");
	}
});

function find(args: readonly string[], more: Partial<ArgumentPlace> = {}) {
	return findArgumentPaths({
		args,
		cwd: at("work"),
		protection: { data_dir: at("data"), hidden: [at("work/moorage.yaml")], home: "/home/ada" },
		readable: [at("data/packages/p")],
		own: [at("data/volumes/it")],
		writable: [],
		...more,
	});
}

describe("the paths that arguments name", () => {
	test("are folders and files that exist, absolute or from the working folder", async () => {
		const args = [at("notes"), "here.db", "../notes/file.txt", at("missing"), "run", ""];
		const { bound, refused } = await find(args);
		assert.deepEqual(bound, [at("notes"), at("work/here.db"), at("notes/file.txt")]);
		assert.deepEqual(refused, []);
	});

	test("are found behind the equals sign of an option, and nowhere else in one", async () => {
		assert.deepEqual((await find([`--root=${at("notes")}`])).bound, [at("notes")]);
		assert.deepEqual((await find([`-r=${at("notes")}`, "--flag", "-x"])).bound, [at("notes")]);
		assert.deepEqual((await find([`--root${at("notes")}`])).bound, []);
	});

	test("are named once, however often they stand there", async () => {
		const { bound, line } = await find([at("notes"), at("notes"), "../notes"]);
		assert.deepEqual(bound, [at("notes")]);
		assert.equal(line, `It can write ${at("notes")} (named in its arguments).`);
	});

	test("are read only, where they are programs", async () => {
		const { bound, scripts } = await find(["server.mjs"]);
		assert.deepEqual([bound, scripts], [[], [at("work/server.mjs")]]);
	});

	test("say nothing of what the server has anyway", async () => {
		const args = ["/usr/bin", at("data/volumes/it"), at("data/packages/p"), "plain"];
		assert.deepEqual(await find(args), { bound: [], scripts: [], refused: [], line: undefined });
	});

	test("are looked at to a number that no real server has", async () => {
		const many = Array.from({ length: 256 }, () => "--flag");
		assert.deepEqual((await find([...many.slice(1), at("notes")])).bound, [at("notes")]);
		assert.deepEqual((await find([...many, at("notes")])).bound, []);
	});
});

describe("a path that is refused", () => {
	const refusals: [string, string, RegExp][] = [
		["the root", "/", /belongs to the machine/u],
		["settings of the machine", "/etc", /belongs to the machine/u],
		["a file of accounts", "/etc/passwd", /belongs to the machine/u],
		["processes", "/proc/self", /belongs to the machine/u],
		["devices", "/dev", /belongs to the machine/u],
		["the data folder", "../data", /data folder/u],
		["another volume", "../data/volumes", /data folder/u],
		["the configuration", "moorage.yaml", /configuration/u],
	];
	for (const [name, path, why] of refusals) {
		test(`is ${name}, and it is said`, async () => {
			const { bound, refused, line } = await find([path]);
			assert.deepEqual(bound, []);
			assert.equal(refused.length, 1);
			assert.match(refused[0]?.why ?? "", why);
			assert.match(line ?? "", /is not given to it: it /u);
		});
	}

	test("is a link to one", async () => {
		symlinkSync("/etc", at("work/innocent"));
		symlinkSync(at("data"), at("work/also-innocent"));
		const { bound, refused } = await find(["innocent", "also-innocent"]);
		assert.deepEqual([bound, refused.length], [[], 2]);
	});

	test("is a socket", async () => {
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(at("work/socket"), resolve));
		const { bound, refused } = await find(["socket"]);
		server.close();
		assert.deepEqual(bound, []);
		assert.match(refused[0]?.why ?? "", /neither a folder nor an ordinary file/u);
	});

	test("is a link that the server itself could have made, to what it was not given", async () => {
		mkdirSync(at("secret"));
		symlinkSync(at("secret"), at("notes/deep/link"));
		const named = await find([at("notes"), at("notes/deep/link")]);
		assert.deepEqual(named.bound, [at("notes")]);
		assert.match(named.refused[0]?.why ?? "", /leads out of a folder that the server can write/u);
		const configured = await find([at("notes/deep/link")], { writable: [at("notes")] });
		assert.deepEqual(configured.bound, []);
		// Nobody but the user can have made this one.
		assert.deepEqual((await find([at("notes/deep/link")])).bound, [at("notes/deep/link")]);
	});
});

test("as many arguments are looked at as name folders, and of more it is said", async () => {
	// arguments_max
	const args = (count: number) => [...Array.from({ length: count - 1 }, () => "-x"), at("notes")];
	for (const count of [255, 256]) {
		const { bound, line } = await find(args(count));
		assert.deepEqual(bound, [at("notes")]);
		assert.equal(line, `It can write ${at("notes")} (named in its arguments).`);
	}
	const { bound, refused, line } = await find([at("work/here.db"), ...args(256)]);
	assert.deepEqual([bound, refused], [[at("work/here.db")], []]);
	assert.equal(
		line,
		`It can write ${at("work/here.db")} (named in its arguments). Only its first 256 arguments ` +
			"were looked at: name what the others mean under `read` and `write` of its `sandbox`.",
	);
});
