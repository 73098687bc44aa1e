/** `npm run build`: bundles the program into dist/, dependencies included. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeBundle } from "./lib/bundle.ts";
import { repository_root } from "./lib/paths.ts";
import { runProgram } from "./lib/run-program.ts";

const out = join(repository_root, "dist");
const files = await makeBundle(repository_root, out);
for (const { name, bytes } of files) {
	process.stdout.write(`dist/${name}  ${(bytes / 1024).toFixed(0)} KiB\n`);
}
// A bundle that does not even start is no bundle.
const main = join(out, "main.js");
const { code, output } = await runProgram(process.execPath, [main, "--version"], { cwd: out });
assert.equal(code, 0, `the bundle does not start: ${output}`);
process.stdout.write(`dist/main.js runs: moorage ${output}`);
