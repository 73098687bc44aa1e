import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runProgram } from "../../tools/lib/run-program.ts";
import { tempTree } from "../../tools/lib/temp-tree.ts";
import { buildEarlier } from "./earlier.ts";

const { code: git_code } = await runProgram("git", ["--version"], { cwd: import.meta.dirname });
/** Without it there is no history to compare with, and nothing of this to test. */
const options = { skip: git_code === 0 ? false : "there is no git on this machine" };

/** A repository whose program says what it was built from, and whose launcher has one flag. */
async function repository(context: TestContext): Promise<string> {
	const root = tempTree(context, {
		"bench/budget.json": "{}",
		"package-lock.json": "{}",
		"src/main.js": "first",
		".gitignore": "node_modules\ndist\n",
		"tools/build.ts": [
			'import { cpSync, existsSync, mkdirSync } from "node:fs";',
			'const root = new URL("../", import.meta.url);',
			'if (!existsSync(new URL("node_modules/here", root))) throw new Error("no modules");',
			'mkdirSync(new URL("dist", root));',
			'cpSync(new URL("src/main.js", root), new URL("dist/main.js", root));',
		].join("\n"),
		"bin/launcher/lean-heap.mjs": 'export const heapOptions = () => ["--flag-of-then"];',
	});
	mkdirSync(join(root, "node_modules"));
	writeFileSync(join(root, "node_modules", "here"), "");
	await git(root, "init", "--quiet");
	await commit(root);
	return root;
}

async function git(root: string, ...args: string[]): Promise<void> {
	const who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"];
	const { code, output } = await runProgram("git", [...who, ...args], { cwd: root });
	assert.equal(code, 0, output);
}

async function commit(root: string): Promise<void> {
	await git(root, "add", "--all");
	await git(root, "commit", "--quiet", "--message", "change");
}

test(
	"the gateway that the budget was set with is built beside this one, and removed",
	options,
	async (context) => {
		const root = await repository(context);
		writeFileSync(join(root, "src", "main.js"), "second");
		await commit(root);
		writeFileSync(join(root, "src", "main.js"), "third");
		const earlier = await buildEarlier(root);
		assert.ok(earlier.kind === "built");
		const [flag, main] = earlier.program;
		assert.equal(flag, "--flag-of-then");
		assert.equal(readFileSync(main as string, "utf8"), "first");
		await earlier.remove();
		assert.ok(!existsSync(main as string));
	},
);

test(
	"a commit that cannot be built is an error, and no reason to compare nothing",
	options,
	async (context) => {
		const root = await repository(context);
		writeFileSync(join(root, "src", "main.js"), "second");
		await commit(root);
		await assert.rejects(async () => {
			const without = tempTree(context);
			await git(without, "clone", "--quiet", root, "copy");
			await buildEarlier(join(without, "copy"));
		}, /no modules/);
	},
);

test(
	"there is nothing to compare with where the budget is of this program, or is being set",
	options,
	async (context) => {
		const root = await repository(context);
		assert.match(await reasonIn(root), /this very program/);
		writeFileSync(join(root, "bench", "budget.json"), "{ }");
		assert.match(await reasonIn(root), /being changed/);
		assert.match(await reasonIn(tempTree(context)), /no history/);
	},
);

async function reasonIn(root: string): Promise<string> {
	const earlier = await buildEarlier(root);
	assert.ok(earlier.kind === "none");
	return earlier.why;
}
