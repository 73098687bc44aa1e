import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { BackupProblem } from "./problem.ts";

/** File of a backup that says what else is in it. */
export const manifest_name = "manifest.json";
/** File that says what the manifest is, so that a damaged one is recognised. */
const seal_name = "manifest.sha256";

const path_schema = z
	.string()
	.min(1)
	.refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), "leaves the backup");

const entry_schema = z.discriminatedUnion("kind", [
	z.strictObject({
		kind: z.literal("file"),
		path: path_schema,
		mode: z.int(),
		bytes: z.int().nonnegative(),
		sha256: z.string().regex(/^[0-9a-f]{64}$/),
	}),
	z.strictObject({ kind: z.literal("folder"), path: path_schema, mode: z.int() }),
	z.strictObject({ kind: z.literal("link"), path: path_schema, target: z.string() }),
]);

const manifest_schema = z.object({
	format: z.literal(1),
	moorage: z.string(),
	created_at_ms: z.int(),
	/** Of the tables; a version that does not know one of them is too old for the backup. */
	migrations: z.array(z.string()),
	entries: z.array(entry_schema),
});

/** One thing in a backup; its path is relative, with slashes. */
export type Entry = z.infer<typeof entry_schema>;
/** What a backup consists of. */
export type Manifest = z.infer<typeof manifest_schema>;

/** Writes the manifest last: a folder without one is no backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
	const text = `${JSON.stringify(manifest, undefined, "\t")}\n`;
	await writeFile(join(folder, seal_name), `${digestOf(text)}\n`, { mode: 0o600 });
	await writeFile(join(folder, manifest_name), text, { mode: 0o600 });
}

/** Reads the manifest of a backup and checks that it is whole. */
export async function readManifest(folder: string): Promise<Result<Manifest, BackupProblem>> {
	let text: string;
	let seal: string;
	try {
		text = await readFile(join(folder, manifest_name), "utf8");
		seal = (await readFile(join(folder, seal_name), "utf8")).trim();
	} catch (error) {
		const message = `${folder} is not a backup: it has no manifest that can be read.`;
		return fail({ code: "backup_unreadable", message, detail: String(error) });
	}
	if (seal !== digestOf(text)) return fail(damaged(folder, manifest_name));
	const parsed = manifest_schema.safeParse(JSON.parse(text));
	if (parsed.success) return succeed(parsed.data);
	const message = `The backup ${folder} has a form that this version of Moorage does not know.`;
	return fail({ code: "backup_newer", message, detail: parsed.error.message });
}

/** A backup in which something is not as it was written. */
export function damaged(folder: string, path: string): BackupProblem {
	const message = `The backup ${folder} is damaged: ${path} is not what was written.`;
	return { code: "backup_damaged", message, detail: path };
}

function digestOf(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}
