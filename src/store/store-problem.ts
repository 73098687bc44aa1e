/** Why the database could not be opened, for programs. */
export type StoreProblemCode =
	| "unreadable" // the folder or file may not be read or written, or is not what it should be
	| "corrupt" // the file is damaged or is not an SQLite database
	| "foreign" // the file is a database of something else
	| "newer" // a newer Moorage has changed the tables
	| "busy" // another process holds the file
	| "full" // no space is left
	| "failed"; // anything else

/** Why the database could not be opened, as a value. */
export interface StoreProblem {
	readonly code: StoreProblemCode;
	/** A sentence that says what happened and what to do next. */
	readonly message: string;
	/** For the log only. */
	readonly detail: string;
}

/** SQLite's primary result codes that mean something to us (sqlite.org/rescode.html). */
const sqlite_codes = {
	permission: 3,
	busy: 5,
	locked: 6,
	read_only: 8,
	io: 10,
	corrupt: 11,
	full: 13,
	cannot_open: 14,
	not_a_database: 26,
} as const;

/** The primary result code of an error that SQLite raised, else undefined. */
function sqliteCode(error: unknown): number | undefined {
	const code = (error as { errcode?: unknown } | null)?.errcode;
	return typeof code === "number" ? code & 0xff : undefined;
}

/** True when the same write may succeed later: the file was locked, or the disk was full. */
export function isPassing(error: unknown): boolean {
	const code = sqliteCode(error);
	return (
		code === sqlite_codes.busy ||
		code === sqlite_codes.locked ||
		code === sqlite_codes.full ||
		code === sqlite_codes.io
	);
}

/** Puts an error that opening `path` raised into a sentence. */
export function describeOpenError(path: string, error: unknown): StoreProblem {
	const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
	const make = (code: StoreProblemCode, message: string) => ({ code, message, detail });
	switch (sqliteCode(error)) {
		case sqlite_codes.corrupt:
		case sqlite_codes.not_a_database:
			return make("corrupt", corruptMessage(path));
		case sqlite_codes.busy:
		case sqlite_codes.locked:
			return make(
				"busy",
				`The database ${path} is in use by another process. Stop that process and try again.`,
			);
		case sqlite_codes.full:
			return make(
				"full",
				`There is no space left for the database ${path}. Free some and try again.`,
			);
		case sqlite_codes.permission:
		case sqlite_codes.read_only:
		case sqlite_codes.cannot_open:
			return make("unreadable", unreadableMessage(path));
		default:
	}
	if (typeof (error as { syscall?: unknown } | null)?.syscall === "string") {
		return make("unreadable", unreadableMessage(path));
	}
	return make("failed", `The database ${path} could not be opened. The log has the reason.`);
}

/** What is said of a damaged file. */
export function corruptMessage(path: string): string {
	return (
		`The database ${path} is damaged or not an SQLite database. ` +
		"Restore it from a backup, or move it away to start with an empty one."
	);
}

function unreadableMessage(path: string): string {
	return (
		`The database ${path} cannot be opened for reading and writing. ` +
		"Give this user access to the folder and the file, or choose another folder with --data."
	);
}
