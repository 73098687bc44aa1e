import assert from "node:assert/strict";
import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checks, runAll } from "./checks.ts";
import { repository_root } from "./lib/paths.ts";
import { tempTree } from "./lib/temp-tree.ts";

const settings = [
	"tsconfig.json",
	"src/dashboard/tsconfig.json",
	".oxlintrc.json",
	"biome.json",
	".gitignore",
];

/** A small project with the settings and installed packages of this one. */
function project(t: TestContext, files: Record<string, string>): string {
	const root = tempTree(t, {
		"package.json": `{ "name": "small", "version": "1.0.0", "type": "module" }\n`,
		"src/dashboard/main.tsx": "export const page = document.title;\n",
		"knip.json": `{ "entry": ["src/cli/main.ts!"], "project": ["src/**/*.ts!"] }\n`,
		...files,
	});
	for (const file of settings) cpSync(join(repository_root, file), join(root, file));
	symlinkSync(join(repository_root, "node_modules"), join(root, "node_modules"));
	return root;
}

/** What one check finds in a project. */
async function find(name: string, root: string): Promise<string> {
	const check = checks.find((candidate) => candidate.name === name);
	assert(check !== undefined);
	return check.run(root);
}

test("the compiler's errors fail the types", async (t) => {
	const root = project(t, { "src/lib/a.ts": `export const a: number = "text";\n` });
	assert.match(await find("types", root), /src\/lib\/a\.ts\(1,14\): error TS2322/);
	const fine = project(t, { "src/lib/a.ts": "export const a: number = 1;\n" });
	assert.equal(await find("types", fine), "");
});

test("what Node cannot strip fails the types", async (t) => {
	const root = project(t, { "src/lib/a.ts": "export enum A { b }\n" });
	assert.match(await find("types", root), /error TS1294/);
});

test("a forgotten promise fails the lint, one of node:test does not", async (t) => {
	const root = project(t, {
		"src/lib/a.ts": "async function f() {}\nexport function g() {\n\tf();\n}\n",
		"src/lib/b.test.ts": `import { test } from "node:test";\n\ntest("b", async () => {});\n`,
	});
	const found = await find("lint", root);
	assert.match(found, /src\/lib\/a\.ts:3:2: .*no-floating-promises/);
	assert.doesNotMatch(found, /b\.test\.ts/);
});

test("an import cycle fails the lint, and so does a suppression without need", async (t) => {
	const root = project(t, {
		"src/lib/a.ts": `import { b } from "./b.ts";\n\nexport const a = () => b;\n`,
		"src/lib/b.ts": `import { a } from "./a.ts";\n\nexport const b = () => a;\n`,
		"src/lib/c.ts": "// oxlint-disable-next-line no-eval\nexport const c = 1;\n",
	});
	const found = await find("lint", root);
	assert.match(found, /no-cycle/);
	assert.match(found, /c\.ts:1.*[Uu]nused/);
});

test("unused files and exports fail the search for dead code, also when only tests use them", async (t) => {
	const root = project(t, {
		"knip.json": `{
			"entry": ["src/cli/main.ts!", "src/**/*.test.ts"],
			"project": ["src/**/*.ts!", "!src/**/*.test.ts!"]
		}`,
		"src/cli/main.ts": `import { used } from "../lib/a.ts";\nused();\n`,
		"src/lib/a.ts": "export function used() {}\nexport function tested() {}\n",
		"src/lib/a.test.ts": `import { tested } from "./a.ts";\ntested();\n`,
		"src/lib/b.ts": "export {};\n",
	});
	const found = await find("dead code", root);
	assert.match(found, /tested +function +src\/lib\/a\.ts/);
	assert.match(found, /src\/lib\/b\.ts/);
	assert.doesNotMatch(found, /\bused +function/);
});

test("a file that is not formatted, or whose imports are not sorted, fails the format", async (t) => {
	const root = project(t, {
		"src/lib/a.ts": "export const a = 'single quotes'\n",
		"src/lib/b.ts": `import { z } from "./z.ts";\nimport { a } from "./a.ts";\n\nz(a);\n`,
		"src/lib/c.ts": `export const c = "fine";\n`,
	});
	const found = await find("format", root);
	assert.match(found, /src\/lib\/a\.ts/);
	assert.match(found, /src\/lib\/b\.ts/);
	assert.doesNotMatch(found, /src\/lib\/c\.ts/);
});

test("generated documents that are out of date fail", async (t) => {
	const root = project(t, {
		"tools/schema.ts": `console.error("docs are out of date"); process.exitCode = 1;\n`,
	});
	assert.equal(await find("documents", root), "docs are out of date");
});

test("our own checks are among them, and each finds something in a bad tree", async (t) => {
	const root = project(t, {
		"package.json": `{ "name": "small", "dependencies": { "hono": "^4.0.0" } }\n`,
		"src/lib/a.ts": `import "../cli/main.ts";\nconsole.log(1);\n`,
		"src/cli/main.ts": "",
	});
	assert.match(await find("layers", root), /^src\/lib\/a\.ts:1 /);
	assert.match(await find("tidy", root), /^src\/lib\/a\.ts:2 console is not used here/m);
	assert.match(await find("deps", root), /hono is "\^4\.0\.0"/);
});

test("all run, each with a verdict, in the order of the table", async (t) => {
	const results = await runAll(project(t, { "src/lib/a.ts": "let a = 1\n" }));
	assert.deepEqual(
		results.map(({ check }) => check.name),
		checks.map(({ name }) => name),
	);
	assert.ok(results.some(({ found }) => found !== ""));
});
