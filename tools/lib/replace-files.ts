import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * Makes these the only files of a folder, whose own folders stay as they are. Each takes the place
 * of the one before at once, and what is not among them goes last: whoever reads the folder
 * meanwhile never finds it empty, and two who write the same files do not disturb each other.
 */
export function replaceFiles(folder: string, files: ReadonlyMap<string, string | Uint8Array>) {
	mkdirSync(folder, { recursive: true });
	const stage = mkdtempSync(join(folder, "stage-"));
	try {
		for (const [name, content] of files) {
			writeFileSync(join(stage, name), content);
			renameSync(join(stage, name), join(folder, name));
		}
	} finally {
		rmSync(stage, { recursive: true, force: true });
	}
	for (const name of readdirSync(folder)) {
		const path = join(folder, name);
		const found = statSync(path, { throwIfNoEntry: false });
		if (found?.isFile() && !files.has(name)) rmSync(path, { force: true });
	}
}
