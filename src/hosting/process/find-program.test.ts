import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { findProgram, programSentence, readShebang } from "./find-program.ts";

let root = "";
before(async () => {
	root = await mkdtemp(join(tmpdir(), "moorage-find-"));
	await mkdir(join(root, "first", "tool"), { recursive: true });
	await mkdir(join(root, "second"));
	await writeFile(join(root, "first", "plain"), "text", { mode: 0o644 });
	await writeFile(join(root, "second", "plain"), "#!/bin/sh\n", { mode: 0o755 });
	await writeFile(join(root, "second", "tool"), "#!/usr/bin/env sh\n", { mode: 0o755 });
	await writeFile(join(root, "second", "old"), "#!/no/such/perl -w\n", { mode: 0o755 });
	await writeFile(join(root, "second", "env"), "#!/usr/bin/env -S A=1 nosuch -x\n", {
		mode: 0o755,
	});
});
after(() => rm(root, { recursive: true }));

function find(command: string) {
	const path = [join(root, "first"), "second", "/usr/bin", "/bin"].join(delimiter);
	return findProgram(command, { path, cwd: root });
}

test("a bare name is searched along PATH, past folders and files that cannot be run", async () => {
	assert.deepEqual(await find("plain"), { ok: true, value: join(root, "second", "plain") });
	assert.deepEqual(await find("tool"), { ok: true, value: join(root, "second", "tool") });
});

test("a name with a slash is relative to the working directory", async () => {
	const expected = { ok: true, value: join(root, "second", "plain") };
	assert.deepEqual(await find("./second/plain"), expected);
	assert.deepEqual(await find("second/plain"), expected);
	assert.deepEqual(await find(join(root, "second", "plain")), expected);
});

test("what stands in the way is told apart", async () => {
	const table: [string, object][] = [
		["nosuch", { kind: "missing", command: "nosuch" }],
		["", { kind: "missing", command: "" }],
		["./nosuch", { kind: "missing", command: "./nosuch" }],
		["./plain/below", { kind: "missing", command: "./plain/below" }],
		["./first", { kind: "folder", path: join(root, "first") }],
		["first/plain", { kind: "not_executable", path: join(root, "first", "plain") }],
		[
			"old",
			{
				kind: "interpreter_missing",
				path: join(root, "second", "old"),
				interpreter: "/no/such/perl",
			},
		],
		[
			"second/env",
			{
				kind: "interpreter_missing",
				path: join(root, "second", "env"),
				interpreter: "nosuch",
			},
		],
	];
	for (const [command, problem] of table) {
		assert.deepEqual(await find(command), { ok: false, problem }, command);
	}
});

test("without PATH no bare name is found", async () => {
	const found = await findProgram("sh", { path: undefined, cwd: root });
	assert.equal(found.ok, false);
});

test("every problem is a sentence that names the program and says what to do", async () => {
	for (const command of ["nosuch", "./nosuch", "./first", "first/plain", "old"]) {
		const found = await find(command);
		assert(!found.ok);
		const sentence = programSentence(found.problem);
		assert.match(sentence, new RegExp(command.replace(/^\.?\//u, ""), "u"));
		assert.match(sentence, /Install|Correct|chmod/u);
	}
});

test("the first line of a script is split into words; other files have none", async () => {
	assert.deepEqual(await readShebang(join(root, "second", "old")), ["/no/such/perl", "-w"]);
	assert.equal(await readShebang(join(root, "first", "plain")), undefined);
	assert.equal(await readShebang(join(root, "nosuch")), undefined);
});

test("a script's first line is read as far as the kernel reads it, and no word is cut", async () => {
	// shebang_bytes_max
	const path = join(root, "long");
	const wordsOf = async (text: string) => {
		await writeFile(path, text);
		return await readShebang(path);
	};
	const interpreter = (bytes: number) => `/${"x".repeat(bytes - 3)}`;
	for (const bytes of [254, 255]) {
		assert.deepEqual(await wordsOf(`#!${interpreter(bytes)}\nrest`), [interpreter(bytes)]);
	}
	assert.deepEqual(await wordsOf(`#!${interpreter(255)}`), [interpreter(255)], "the whole file");
	assert.equal(await wordsOf(`#!${interpreter(256)}\nrest`), undefined);
	assert.equal(await wordsOf(`#!${interpreter(400)}\nrest`), undefined);
	assert.deepEqual(await wordsOf(`#!/bin/sh ${"y".repeat(300)}\n`), ["/bin/sh"]);
});
