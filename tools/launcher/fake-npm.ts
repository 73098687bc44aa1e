import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { tempTree } from "../lib/temp-tree.ts";

/**
 * A folder for the PATH whose only program is an npm that runs `script` (CommonJS) in the folder it
 * is to install into, on this Node, after noting its arguments in the file `calls` beside it.
 */
export function fakeNpm(test: TestContext, script: string): { folder: string; calls: string } {
	const root = tempTree(test, {
		npm: [
			`#!${process.execPath}`,
			`const fs = require("node:fs");`,
			'fs.appendFileSync(__dirname + "/calls", process.argv.slice(2).join(" ") + "\\n");',
			script,
		].join("\n"),
	});
	chmodSync(join(root, "npm"), 0o755);
	return { folder: root, calls: join(root, "calls") };
}
