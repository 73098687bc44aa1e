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

/** An entry that cannot be used. It stays in its file as it is until it is replaced. */
export interface DamagedEntry {
	/** What is wrong with it, in words that follow its file's name. */
	readonly problem: string;
	/** What stands there, as JSON. */
	readonly text: string;
}

/** A lock as it was read, with what is wrong with some of its entries. */
export type ReadLock = LockContent & {
	readonly damaged: { readonly [Kind in keyof LockEntries]: ReadonlyMap<string, DamagedEntry> };
};

const lock_version = 1;
const lock_schema = z.strictObject({
	lock_version: z.literal(lock_version),
	packages: z.record(z.string(), z.unknown()),
	images: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Writes a lock: entries in one order whatever order they came in, and one line for each
 * package of a tree, so that a difference between two locks reads like one.
 */
export function renderLock(lock: LockContent & Partial<ReadLock>): string {
	const { packages, images, damaged } = lock;
	const all_packages = [...texts(packages, render), ...leftAlone(damaged?.packages)];
	const all_images = [...texts(images, JSON.stringify), ...leftAlone(damaged?.images)];
	const members = [
		`\t"lock_version": ${lock_version}`,
		`\t"packages": ${renderMap(all_packages)}`,
		...(all_images.length === 0 ? [] : [`\t"images": ${renderMap(all_images)}`]),
	];
	return `{\n${members.join(",\n")}\n}\n`;
}

function texts<Entry>(
	map: ReadonlyMap<string, Entry>,
	write: (entry: Entry) => string,
): [key: string, text: string][] {
	return [...map].map(([key, entry]) => [key, write(entry)]);
}

function leftAlone(damaged: ReadonlyMap<string, DamagedEntry> = new Map()) {
	return texts(damaged, ({ text }) => text);
}

function renderMap(entries: readonly [key: string, text: string][]): string {
	const lines = entries
		.toSorted(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, text]) => `\t\t${JSON.stringify(key)}: ${text}`);
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

/**
 * Reads a lock. What is wrong with it as a whole is said in words that follow its file's name; an
 * entry that is damaged is put aside, so that it concerns only who asks for it.
 */
export function parseLock(text: string): Result<ReadLock, string> {
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
		return fail(damagedAt(parsed.error, []));
	}
	const packages = sortOut("packages", parsed.data.packages, lock_entry_schema, packageProblem);
	const images = sortOut("images", parsed.data.images ?? {}, image_entry_schema);
	return succeed({
		packages: packages.good,
		images: images.good,
		damaged: { packages: packages.damaged, images: images.damaged },
	});
}

/** The entries of one kind, the damaged ones apart. */
function sortOut<Entry>(
	kind: keyof LockEntries,
	entries: Readonly<Record<string, unknown>>,
	schema: z.ZodType<Entry>,
	problemOf: (key: string, entry: Entry) => string | undefined = () => undefined,
): { readonly good: Map<string, Entry>; readonly damaged: Map<string, DamagedEntry> } {
	const good = new Map<string, Entry>();
	const damaged = new Map<string, DamagedEntry>();
	for (const [key, value] of Object.entries(entries)) {
		const parsed = schema.safeParse(value);
		const problem = parsed.success
			? problemOf(key, parsed.data)
			: damagedAt(parsed.error, [kind, key]);
		if (parsed.success && problem === undefined) {
			good.set(key, parsed.data);
		} else {
			damaged.set(key, { problem: problem ?? "is damaged", text: JSON.stringify(value) });
		}
	}
	return { good, damaged };
}

function damagedAt(error: z.ZodError, above: readonly string[]): string {
	const place = [...above, ...(error.issues[0]?.path ?? [])].join(" > ");
	return `is damaged${place === "" ? "" : ` at ${place}`}`;
}

function packageProblem(key: string, entry: LockEntry): string | undefined {
	if (!key.startsWith(`${entry.ecosystem}:`)) {
		return `is damaged: ${key} is no request of ${entry.ecosystem}`;
	}
	return treeDigest(entry.ecosystem, entry.tree) === entry.digest
		? undefined
		: `is damaged: the tree of ${key} does not match its digest`;
}
