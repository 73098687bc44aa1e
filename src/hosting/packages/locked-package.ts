import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Locked } from "../resolved.ts";
import type { InstallFailure } from "./failure.ts";
import { failureSentence } from "./failure.ts";
import type { LockEntry } from "./lock-entry.ts";
import { changedPackage, lock_entry_schema } from "./lock-entry.ts";
import type { LockFile } from "./lock-file.ts";
import type { Lock } from "./lock-text.ts";

/*
 * What a version of a server runs is remembered apart from the lock: the lock says what is run now,
 * and a version that is tried, or gone back to, runs something else until it takes over.
 */

/** An entry of the lock as it is remembered. */
export function lockedPackage(key: string, entry: LockEntry): Locked {
	return { kind: "packages", key, entry: JSON.stringify(entry) };
}

/** The entry that is remembered; undefined where it belongs to another request, or is damaged. */
export function entryOf(locked: Locked | undefined, key: string): LockEntry | undefined {
	if (locked?.kind !== "packages" || locked.key !== key) return undefined;
	const parsed = lock_entry_schema.safeParse(JSON.parse(locked.entry));
	return parsed.success ? parsed.data : undefined;
}

/** Puts what is remembered in the place of what is locked. Problems are sentences. */
export async function keepPackage(lock: LockFile, locked: Locked): Promise<Result<void, string>> {
	const entry = entryOf(locked, locked.key);
	if (entry === undefined) return fail("What was remembered of the package cannot be read.");
	const decide = (known: Lock) => {
		const before = known.get(locked.key);
		if (before?.digest === entry.digest) return succeed(before);
		const problem = contradiction(known, entry);
		return problem === undefined ? succeed(entry) : fail(problem);
	};
	const kept = await lock.change(locked.key, decide, { mends: true });
	return kept.ok ? succeed(undefined) : fail(failureSentence(entry.name, kept.problem));
}

/** The first package that anything locked has in the same version with other contents. */
export function contradiction(lock: Lock, found: LockEntry): InstallFailure | undefined {
	for (const entry of lock.values()) {
		const changed = changedPackage(entry, found);
		if (changed !== undefined) {
			const line = `${changed} is not what moorage.lock says it is`;
			return { kind: "changed", line };
		}
	}
	return undefined;
}
