import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { runtimePaths, scriptPaths } from "./runtime.ts";

async function scene(t: TestContext) {
	const root = realpathSync(await tempFolder(t));
	const protection = { data_dir: join(root, "data"), hidden: [], home: join(root, "home") };
	return { root, protection };
}

test("a program is found through as many links as the system follows", async (t) => {
	// links_max
	const { root, protection } = await scene(t);
	await writeFile(join(root, "0"), "no script");
	await chmod(join(root, "0"), 0o755);
	for (let at = 1; at <= 41; at += 1) await symlink(String(at - 1), join(root, String(at)));
	const names = (from: number) =>
		Array.from({ length: from + 1 }, (_, at) => join(root, `${from - at}`));
	for (const links of [0, 1, 39, 40]) {
		const found = await runtimePaths(join(root, `${links}`), undefined, protection);
		assert.deepEqual(found, { paths: names(links), names: names(links) });
	}
	const { paths } = await runtimePaths(join(root, "41"), undefined, protection);
	assert.ok(!paths.includes(join(root, "0")), "nor could it be started");
});

test("the package of a script is found as far above it as packages go", async (t) => {
	// folders_max
	const { root, protection } = await scene(t);
	const home = join(root, "package");
	const script = async (depth: number) => {
		const folder = join(home, ...Array.from({ length: depth }, (_, at) => `d${at}`));
		await mkdir(folder, { recursive: true });
		await writeFile(join(folder, "server.js"), "");
		return join(folder, "server.js");
	};
	await mkdir(join(home, "node_modules"), { recursive: true });
	await writeFile(join(home, "package.json"), "{}");
	for (const depth of [0, 1, 10, 11]) {
		const found = await scriptPaths(await script(depth), protection);
		assert.deepEqual(found, [home, join(home, "node_modules")], `${depth} folders down`);
	}
	const deep = await script(12);
	assert.deepEqual(await scriptPaths(deep, protection), [join(deep, "..")], "its own folder");
});
