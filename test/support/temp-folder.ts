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
	context.after(() => rm(folder, { recursive: true, force: true }));
	for (const [name, content] of Object.entries(files)) {
		await mkdir(dirname(join(folder, name)), { recursive: true });
		await writeFile(join(folder, name), content);
	}
	return folder;
}
