import assert from "node:assert/strict";
import { join } from "node:path";
import { makeBundle } from "./bundle.ts";
import { buildDashboard } from "./dashboard.ts";
import { runProgram } from "./run-program.ts";

/** Bundles the program into `root`/dist, says what it made, and proves that it starts. */
export async function buildProgram(root: string): Promise<void> {
	const out = join(root, "dist");
	for (const { name, bytes } of await makeBundle(root, out)) {
		process.stdout.write(`dist/${name}  ${(bytes / 1024).toFixed(0)} KiB\n`);
	}
	for (const { name, bytes } of await buildDashboard(root)) {
		process.stdout.write(`dist/dashboard/${name}  ${(bytes / 1024).toFixed(0)} KiB\n`);
	}
	const main = join(out, "main.js");
	const { code, output } = await runProgram(process.execPath, [main, "--version"], { cwd: out });
	assert.equal(code, 0, `the bundle does not start: ${output}`);
	process.stdout.write(`dist/main.js runs: moorage ${output}`);
}
