import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";

/**
 * The files of control groups. They live in memory: reading and writing one takes
 * microseconds, so none of it gives way to anything else.
 */

/** What a file says, or undefined where it cannot be read. */
export function readGroupFile(path: string): string | undefined {
	try {
		return readFileSync(path, "latin1");
	} catch {
		return undefined;
	}
}

/** Writes a file that must be there already; the error's code where that fails. */
export function writeGroupFile(path: string, text: string): string | undefined {
	try {
		writeFileSync(path, text, { flag: "r+" });
		return undefined;
	} catch (error) {
		return errorCode(error);
	}
}

/** Makes a group; the error's code where that fails. One that is there already is fine. */
export function makeGroup(path: string): string | undefined {
	try {
		mkdirSync(path);
		return undefined;
	} catch (error) {
		const code = errorCode(error);
		return code === "EEXIST" ? undefined : code;
	}
}

/** Removes a group in which nothing runs any more; false while something does. */
export function removeGroup(path: string): boolean {
	try {
		rmdirSync(path);
		return true;
	} catch (error) {
		return errorCode(error) === "ENOENT";
	}
}

/** Names of the groups directly below a group; none where it cannot be read. */
export function listGroups(path: string): string[] {
	try {
		return readdirSync(path, { withFileTypes: true })
			.filter((entry) => entry.isDirectory())
			.map(({ name }) => name);
	} catch {
		return [];
	}
}

function errorCode(error: unknown): string {
	return (error as NodeJS.ErrnoException).code ?? "unknown error";
}

/** The number behind a name, in files of lines such as `oom_kill 3`. */
export function keyedNumber(text: string, key: string): number | undefined {
	for (const line of text.split("\n")) {
		const [name, value] = line.split(" ");
		if (name === key && value !== undefined && /^\d+$/u.test(value)) {
			return Number(value);
		}
	}
	return undefined;
}
