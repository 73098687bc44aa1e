import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempTree } from "../lib/temp-tree.ts";
import { provideUv } from "./uv.ts";

/** A Python whose pip does what `script` says; the folder it is to install into is `$5`. */
function fakePython(t: Parameters<typeof tempTree>[0], script: string): string {
	const root = tempTree(t, { "bin/python3": `#!/bin/sh\n${script}\n` });
	chmodSync(join(root, "bin", "python3"), 0o755);
	return root;
}

const provide = (root: string, said: string[]) =>
	provideUv({
		tools_folder: join(root, "tools"),
		environment: { PATH: join(root, "bin") },
		say: (line) => said.push(line),
	});

test("uv on the PATH is used as it is", async (t) => {
	const root = tempTree(t, { "bin/uvx": "" });
	const said: string[] = [];
	assert.deepEqual(await provide(root, said), { folder: undefined, missing: undefined });
	assert.deepEqual(said, []);
});

test("uv is installed once, and found the next time", async (t) => {
	const root = fakePython(t, `/bin/mkdir -p "$6/bin" && : > "$6/bin/uvx"`);
	const said: string[] = [];
	const first = await provide(root, said);
	assert.equal(first.missing, undefined);
	assert.ok(existsSync(join(first.folder ?? "", "uvx")));
	assert.deepEqual(await provide(root, said), first);
	assert.equal(said.length, 1);
	assert.deepEqual(readdirSync(join(root, "tools")).length, 1);
});

test("a failed installation says why and leaves nothing", async (t) => {
	const root = fakePython(t, `echo "ERROR: no index here" >&2; exit 1`);
	const place = await provide(root, []);
	assert.deepEqual(place, {
		folder: undefined,
		missing: "pip could not install it: ERROR: no index here",
	});
	assert.deepEqual(readdirSync(join(root, "tools")), []);
});

test("a machine without Python is told plainly", async (t) => {
	const place = await provide(tempTree(t), []);
	assert.deepEqual(place, { folder: undefined, missing: "there is no Python here" });
});
