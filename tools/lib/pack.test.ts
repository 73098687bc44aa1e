import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeBundle } from "./bundle.ts";
import { packPackage } from "./pack.ts";
import { repository_root } from "./paths.ts";
import { runProgram } from "./run-program.ts";
import { tempTree } from "./temp-tree.ts";

/** A project with a program, a worker that it starts, and packages of both kinds. */
function project(t: TestContext, files: Record<string, string> = {}): string {
	const root = tempTree(t, {
		"package.json": JSON.stringify({
			name: "small",
			version: "1.2.3",
			type: "module",
			bin: { small: "bin/moorage" },
			files: ["bin", "dist", "README.md"],
			scripts: { test: "false" },
			dependencies: { yaml: "2.9.1" },
			devDependencies: { typescript: "7.0.2" },
		}),
		"README.md": "# Small\n",
		"src/cli/main.ts": `
			import { spawn } from "node:child_process";
			import { fileURLToPath } from "node:url";
			import { applyEdits, modify } from "jsonc-parser";
			import { parse } from "yaml";
			import manifest from "../../package.json" with { type: "json" };
			const args: string[] = process.argv.slice(2);
			console.log(manifest.version, parse("a: [1]").a, applyEdits("{}", modify("{}", ["a"], 1, {})), ...args);
			const worker = fileURLToPath(new URL("../lib/worker.ts", import.meta.url));
			spawn(process.execPath, [worker], { stdio: "inherit" });
		`,
		"src/lib/worker.ts": `import { stringify } from "yaml"; console.log("worker", stringify("ok").trim());`,
		...files,
	});
	symlinkSync(join(repository_root, "node_modules"), join(root, "node_modules"));
	cpSync(join(repository_root, "bin"), join(root, "bin"), { recursive: true });
	return root;
}

test("the bundle runs without the packages it is made of, workers included", async (t) => {
	const root = project(t);
	const out = join(root, "dist");
	const files = await makeBundle(root, out);
	assert.ok(files.some(({ name, bytes }) => name === "lib-worker.js" && bytes > 0));
	const alone = join(tempTree(t), "dist");
	cpSync(out, alone, { recursive: true });
	const { code, output } = await runProgram(process.execPath, [join(alone, "main.js"), "x"], {
		cwd: alone,
	});
	assert.deepEqual([output, code], ['1.2.3 [ 1 ] {"a": 1} x\nworker ok\n', 0]);
});

test("the licences of what is bundled come with it, and no others", async (t) => {
	const root = project(t);
	await makeBundle(root, join(root, "dist"));
	const text = readFileSync(join(root, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8");
	assert.match(text, /^yaml 2\.9\.1 \(ISC\)$/m);
	assert.match(text, /^jsonc-parser .* \(MIT\)$/m);
	assert.match(text, /Permission to use, copy, modify/);
	assert.doesNotMatch(text, /typescript/);
});

test("a bundle that would miss something is refused", async (t) => {
	const root = project(t, { "src/cli/main.ts": `import "nowhere";` });
	await assert.rejects(makeBundle(root, join(root, "dist")), /nowhere/);
});

test("the archive holds what is published, and depends on nothing", async (t) => {
	const root = project(t);
	await makeBundle(root, join(root, "dist"));
	const out = tempTree(t);
	const archive = await packPackage(root, out);
	assert.deepEqual(readdirSync(out), ["small-1.2.3.tgz"]);
	const place = tempTree(t, { "package.json": "{}" });
	const install = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", archive];
	const installed = await runProgram("npm", install, { cwd: place });
	assert.equal(installed.code, 0, installed.output);
	const folder = join(place, "node_modules", "small");
	assert.deepEqual(readdirSync(join(place, "node_modules")).sort(), [
		".bin",
		".package-lock.json",
		"small",
	]);
	assert.deepEqual(readdirSync(folder).sort(), ["README.md", "bin", "dist", "package.json"]);
	assert.ok(existsSync(join(folder, "bin", "node24", "package-lock.json")));
	const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object;
	assert.deepEqual(Object.keys(manifest), ["name", "version", "type", "bin", "files", "engines"]);
	const program = join(place, "node_modules", ".bin", "small");
	const { output } = await runProgram(program, ["y"], { cwd: place });
	assert.equal(output, '1.2.3 [ 1 ] {"a": 1} y\nworker ok\n');
});

test("an archive without one of its parts is not made", async (t) => {
	const out = tempTree(t);
	await assert.rejects(packPackage(project(t), out), /dist is missing, so nothing is packed/);
	assert.deepEqual(readdirSync(out), []);
});
