import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder of the test's own with the given files in it, removed when the test ends. */
export async function tempFolder(
	context: TestContext,
	files: Readonly<Record<string, string | Buffer>> = {},
): Promise<string> {
	const folder = await realpath(await mkdtemp(join(tmpdir(), "moorage-test-")));
	// What still writes there makes this fail; a failed hook would keep the others from their turn.
	context.after(() => rm(folder, { recursive: true, force: true }).catch(() => undefined));
	leaveNothing(folder);
	for (const [name, content] of Object.entries(files)) {
		await mkdir(dirname(join(folder, name)), { recursive: true });
		await writeFile(join(folder, name), content);
	}
	return folder;
}

const made = new Set<string>();

/**
 * Hooks run in the order in which they were registered: what a test starts after it has made its
 * folder ends after that is removed, and may write a last time.
 */
function leaveNothing(folder: string): void {
	if (made.size === 0) {
		process.once("exit", () => {
			for (const path of made) rmSync(path, { recursive: true, force: true });
		});
	}
	made.add(folder);
}
