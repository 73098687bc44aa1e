import { open } from "node:fs/promises";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { ValueProblem } from "./values.ts";

/** Longest value that is taken from anywhere. */
export const value_bytes_max = 64 * 1024;

/** The text of a file that holds a secret. */
export async function readSecretFile(path: string): Promise<Result<string, ValueProblem>> {
	try {
		const file = await open(path, "r");
		try {
			const about = await file.stat();
			if (!about.isFile()) return refused(path, "is no file", "Name a file.");
			if (about.size > value_bytes_max) {
				return refused(path, `has more than ${value_bytes_max} bytes`, "Name another file.");
			}
			const bytes = await file.readFile();
			const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
			if (text.includes("\0")) return refused(path, "is no text", "Name a file of text.");
			return succeed(text);
		} finally {
			await file.close();
		}
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT") return refused(path, "does not exist", "Make it, or name another.");
		if (code === "EACCES") {
			return refused(path, "may not be read", "Let the user who runs Moorage read it.");
		}
		if (error instanceof TypeError) return refused(path, "is no text", "Name a file of text.");
		const detail = String(error);
		return fail({ message: `The file ${path} cannot be read.`, next: "Look at the disk.", detail });
	}
}

function refused(path: string, why: string, next: string): Result<never, ValueProblem> {
	return fail({ message: `The file ${path} ${why}.`, next });
}
