import { createHash } from "node:crypto";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { LockEntry } from "./lock-entry.ts";
import { platformName } from "./platform.ts";
import { pythonOf } from "./python-program.ts";

const record_schema = z.object({
	/** Raised when the shape changes; others are installed again. */
	format: z.literal(2),
	name: z.string(),
	version: z.string(),
	/** The digest of the locked tree. */
	digest: z.string(),
	platform: z.string(),
	/** Packages whose install scripts have run. */
	scripts_run: z.array(z.string()),
	/** Packages whose install scripts were left out; they may lack a native part. */
	scripts_skipped: z.array(z.string()),
	/** Over every file as it was installed. */
	contents: z.string(),
});

/**
 * What is known of an installed tree, kept beside it. Once that file is there, running the
 * package is reading a few files: no network, no launcher.
 */
export type Installed = Readonly<z.infer<typeof record_schema>>;

/** The record's name; what else Moorage puts into an installation starts with the same dot. */
export const record_name = ".moorage.json";
const digest_length = 16;
const name_length_max = 80;

/**
 * The name of the folder of a tree: readable, safe on every file system, and another one for
 * whatever makes its files different.
 */
export function folderName(entry: LockEntry, scripts: readonly string[]): string {
	const parts = [entry.digest, platformName(), ...[...scripts].sort()];
	// Native parts that a script builds belong to one Node.
	if (scripts.length > 0) {
		parts.push(process.versions.modules);
	}
	const hash = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, digest_length);
	const readable = `${entry.name}@${entry.version}`
		.replace(/^@/u, "")
		.replace(/[^A-Za-z0-9._@-]+/gu, "+")
		.slice(0, name_length_max);
	return `${readable}-${hash}`;
}

/** Writes what is known of an installation; the last step before it counts as one. */
export async function writeInstalled(folder: string, installed: Installed): Promise<void> {
	const text = `${JSON.stringify(installed, undefined, "\t")}\n`;
	await writeFile(join(folder, record_name), text);
}

/**
 * Reads an installation; undefined when there is none, or when it is not whole: a machine that
 * lost its power, or somebody who tidied up. That every package still has its description is
 * looked at; every byte is too much to read at each start of the gateway.
 */
export async function readInstalled(
	folder: string,
	entry: LockEntry,
): Promise<Installed | undefined> {
	try {
		const text = await readFile(join(folder, record_name), "utf8");
		const record = record_schema.parse(JSON.parse(text));
		if (record.digest !== entry.digest || record.platform !== platformName()) {
			return undefined;
		}
		await (entry.ecosystem === "npm" ? checkPackages(folder, entry) : access(pythonOf(folder)));
		return record;
	} catch {
		return undefined;
	}
}

async function checkPackages(
	folder: string,
	entry: LockEntry & { ecosystem: "npm" },
): Promise<void> {
	const places = Object.entries(entry.tree)
		.filter(([, node]) => node.optional !== true && node.peer !== true)
		.map(([place]) => place);
	await Promise.all(
		places.map(async (place) => {
			const { size } = await stat(join(folder, place, "package.json"));
			if (size === 0) {
				throw new Error(`${place} is empty`);
			}
		}),
	);
}
