import { link, open, unlink } from "node:fs/promises";

/** Writes a file that others see either whole or not at all, and leaves an existing one alone. */
export async function createWhole(path: string, draft: string, text: string): Promise<void> {
	const file = await open(draft, "wx", 0o600);
	try {
		await file.chmod(0o600);
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
	try {
		await link(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	} finally {
		await unlink(draft);
	}
}
