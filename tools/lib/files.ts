import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Folders that hold nothing written by hand. */
const folders_skipped = new Set(["node_modules", "dist"]);

/** Hidden folders that are the project's own. All others (.git, .tools) are skipped. */
const hidden_kept = new Set([".ci"]);

/**
 * All files below `root`, as sorted paths with forward slashes relative to it. Symbolic links are
 * not followed.
 */
export function listFiles(root: string): string[] {
	const found: string[] = [];
	const visit = (folder: string) => {
		for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
			const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
			// In a second working tree of a repository, .git is a file.
			if (entry.isFile() && entry.name !== ".git") found.push(path);
			if (entry.isDirectory() && isOurs(entry.name)) visit(path);
		}
	};
	visit("");
	return found.sort();
}

function isOurs(folder: string): boolean {
	if (folder.startsWith(".")) return hidden_kept.has(folder);
	return !folders_skipped.has(folder);
}
