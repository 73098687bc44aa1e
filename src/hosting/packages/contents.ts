import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { record_name } from "./installed.ts";

/** Files read at once; enough to keep a disk busy, few enough to leave descriptors to others. */
const reads_max = 16;

/**
 * A digest over every file of an installation: its place, whether it is a program, and its
 * bytes. What Moorage itself adds later and what Python writes to start faster are left out.
 */
export async function contentsDigest(folder: string): Promise<string> {
	const lines: string[] = [];
	await collect(folder, "", lines);
	return `sha256-${createHash("sha256").update(lines.sort().join("\n")).digest("hex")}`;
}

async function collect(root: string, place: string, lines: string[]): Promise<void> {
	const entries = await readdir(join(root, place), { withFileTypes: true });
	const files: Dirent[] = [];
	for (const entry of entries) {
		if (entry.name.startsWith(record_name.slice(0, 8)) || entry.name === "__pycache__") {
			continue;
		}
		if (entry.isDirectory()) {
			await collect(root, `${place}${entry.name}/`, lines);
		} else {
			files.push(entry);
		}
	}
	for (let at = 0; at < files.length; at += reads_max) {
		const batch = files.slice(at, at + reads_max);
		lines.push(...(await Promise.all(batch.map((file) => describe(root, place, file)))));
	}
}

async function describe(root: string, place: string, file: Dirent): Promise<string> {
	const path = join(root, place, file.name);
	const content = file.isSymbolicLink() ? await readlink(path) : await readFile(path);
	const hash = createHash("sha256").update(content).digest("hex");
	const kind = file.isSymbolicLink() ? "link" : "file";
	return JSON.stringify([place + file.name, kind, hash]);
}
