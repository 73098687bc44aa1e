import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

const root = join(import.meta.dirname, "..", "..");

for (const page of ["docs/identity.md", "docs/grants.md", "deploy/caddy/README.md"]) {
	test(`every configuration in ${page} is accepted`, async (context) => {
		const text = await readFile(join(root, page), "utf8");
		const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block);
		assert.ok(blocks.length > 0);
		const cwd = await tempFolder(context);
		for (const block of blocks) {
			await writeFile(join(cwd, "moorage.yaml"), block);
			const environment = { MOORAGE_INTROSPECTION: "value" };
			const loaded = await loadPlan({
				path: undefined,
				cwd,
				environment,
				home: cwd,
				overrides: {},
			});
			const problems = loaded.ok ? [] : loaded.problem.map(formatProblem);
			assert.deepEqual(problems, [], block);
		}
	});
}
