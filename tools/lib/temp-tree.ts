import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder with the given files (path to content), removed when the test is over. */
export function tempTree(test: TestContext, files: Record<string, string> = {}): string {
	const root = mkdtempSync(join(tmpdir(), "moorage-tree-"));
	test.after(() => rmSync(root, { recursive: true, force: true }));
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), content);
	}
	return root;
}
