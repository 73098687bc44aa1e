import { z } from "zod";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { ImageEntry } from "./image-entry.ts";
import { image_entry_schema } from "./image-entry.ts";
import type { LockEntry } from "./lock-entry.ts";
import { lock_entry_schema, treeDigest } from "./lock-entry.ts";

/** All packages that are locked, by what was asked for. */
export type Lock = ReadonlyMap<string, LockEntry>;

/** What is locked, by kind. */
export interface LockEntries {
	packages: LockEntry;
	images: ImageEntry;
}

/** Everything that a lock holds, by what was asked for. */
export type LockContent = {
	readonly [Kind in keyof LockEntries]: ReadonlyMap<string, LockEntries[Kind]>;
};

const lock_version = 1;
const lock_schema = z.strictObject({
	lock_version: z.literal(lock_version),
	packages: z.record(z.string(), lock_entry_schema),
	images: z.record(z.string(), image_entry_schema).optional(),
});

/**
 * Writes a lock: entries in one order whatever order they came in, and one line for each
 * package of a tree, so that a difference between two locks reads like one.
 */
export function renderLock({ packages, images }: LockContent): string {
	const members = [
		`\t"lock_version": ${lock_version}`,
		`\t"packages": ${renderMap(packages, render)}`,
		...(images.size === 0 ? [] : [`\t"images": ${renderMap(images, JSON.stringify)}`]),
	];
	return `{\n${members.join(",\n")}\n}\n`;
}

function renderMap<Entry>(
	map: ReadonlyMap<string, Entry>,
	write: (entry: Entry) => string,
): string {
	const entries = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
	const lines = entries.map(([key, entry]) => `\t\t${JSON.stringify(key)}: ${write(entry)}`);
	return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n\t}`;
}

function render(entry: LockEntry): string {
	const { tree, ...rest } = entry;
	const fields = Object.entries(rest).map(
		([name, value]) => `\t\t\t${JSON.stringify(name)}: ${JSON.stringify(value)}`,
	);
	const lines = Object.entries(tree)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([place, value]) => `\t\t\t\t${JSON.stringify(place)}: ${JSON.stringify(value)}`);
	fields.push(`\t\t\t"tree": {\n${lines.join(",\n")}\n\t\t\t}`);
	return `{\n${fields.join(",\n")}\n\t\t}`;
}

/** Reads a lock. What is wrong with it is said in words that follow its file's name. */
export function parseLock(text: string): Result<LockContent, string> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		const conflict = /^(?:<{7}|>{7}) /mu.test(text);
		return fail(conflict ? "holds an unresolved merge conflict" : "is not valid JSON");
	}
	const newer = (value as { lock_version?: unknown } | null)?.lock_version;
	if (typeof newer === "number" && newer > lock_version) {
		return fail("was written by a newer Moorage");
	}
	const parsed = lock_schema.safeParse(value);
	if (!parsed.success) {
		const place = parsed.error.issues[0]?.path.join(" > ") ?? "";
		return fail(`is damaged${place === "" ? "" : ` at ${place}`}`);
	}
	const packages = new Map<string, LockEntry>(Object.entries(parsed.data.packages));
	for (const [key, entry] of packages) {
		if (!key.startsWith(`${entry.ecosystem}:`)) {
			return fail(`is damaged: ${key} is no request of ${entry.ecosystem}`);
		}
		if (treeDigest(entry.ecosystem, entry.tree) !== entry.digest) {
			return fail(`is damaged: the tree of ${key} does not match its digest`);
		}
	}
	return succeed({ packages, images: new Map(Object.entries(parsed.data.images ?? {})) });
}
