import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { basename, delimiter, isAbsolute, resolve } from "node:path";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";

/** Why a command cannot be run, told apart so that the user reads what to do about it. */
export type ProgramProblem =
	| { readonly kind: "missing"; readonly command: string }
	| { readonly kind: "folder"; readonly path: string }
	| { readonly kind: "not_executable"; readonly path: string }
	| {
			readonly kind: "interpreter_missing";
			readonly path: string;
			readonly interpreter: string;
	  };

/** Where a command is looked for: the child's own PATH and working directory. */
export interface ProgramPlace {
	readonly path: string | undefined;
	readonly cwd: string;
	/** Windows only: the extensions a command may have. */
	readonly path_ext?: string | undefined;
}

/** A `#!` line longer than this is not looked at; kernels cut it at 256 bytes or less. */
const shebang_bytes_max = 256;

/**
 * Finds the file a command means, as `execvp` would: a command with a slash is relative to the
 * working directory, any other is searched on PATH. Done before spawning, because a program
 * behind a wrapper would be reported missing by the wrapper, in its own words and too late.
 */
export async function findProgram(
	command: string,
	place: ProgramPlace,
): Promise<Result<string, ProgramProblem>> {
	const candidates = candidatePaths(command, place);
	let problem: ProgramProblem = { kind: "missing", command };
	for (const candidate of candidates) {
		const found = await inspect(candidate);
		if (found === "executable") {
			const interpreter = await missingInterpreter(candidate, place);
			return interpreter === undefined
				? succeed(candidate)
				: fail({ kind: "interpreter_missing", path: candidate, interpreter });
		}
		// A later PATH entry may still hold the real one, so the first obstacle is only kept.
		if (found !== "missing" && problem.kind === "missing") {
			problem = { kind: found, path: candidate };
		}
	}
	return fail(problem);
}

/** The sentence for a person: what is wrong and what to do. */
export function programSentence(problem: ProgramProblem): string {
	switch (problem.kind) {
		case "missing":
			return problem.command.includes("/")
				? `The program ${problem.command} does not exist or is out of reach. Correct the command, ` +
						"or create the file; the server starts by itself afterwards."
				: `The program ${problem.command} is not installed or not on PATH. Install it, ` +
						"or give its full path; the server starts by itself afterwards.";
		case "folder":
			return `${problem.path} is a folder, not a program. Correct the command.`;
		case "not_executable":
			return (
				`${problem.path} is not executable. Run "chmod +x" on it, ` +
				"or put the program that runs it in front; the server starts by itself afterwards."
			);
		case "interpreter_missing":
			return (
				`${problem.path} needs ${problem.interpreter}, which is not installed or not on ` +
				"PATH. Install it; the server starts by itself afterwards."
			);
	}
}

function candidatePaths(command: string, place: ProgramPlace): string[] {
	if (command === "") {
		return [];
	}
	const extensions =
		process.platform === "win32" ? ["", ...(place.path_ext ?? ".EXE;.CMD;.BAT").split(";")] : [""];
	const bases =
		command.includes("/") || isAbsolute(command)
			? [resolve(place.cwd, command)]
			: (place.path ?? "").split(delimiter).map((entry) => resolve(place.cwd, entry, command));
	return bases.flatMap((base) => extensions.map((extension) => base + extension));
}

async function inspect(
	path: string,
): Promise<"executable" | "missing" | "folder" | "not_executable"> {
	try {
		const stats = await stat(path);
		if (stats.isDirectory()) {
			return "folder";
		}
	} catch {
		// In a folder that may not be entered nothing can be seen; PATH often has such.
		return "missing";
	}
	try {
		await access(path, constants.X_OK);
		return "executable";
	} catch {
		return "not_executable";
	}
}

/**
 * The interpreter a script names and this machine lacks. Without this check the kernel answers
 * "no such file" for a script that is plainly there.
 */
async function missingInterpreter(path: string, place: ProgramPlace): Promise<string | undefined> {
	const words = await readShebang(path);
	const interpreter = words?.[0];
	if (words === undefined || interpreter === undefined || !isAbsolute(interpreter)) {
		return undefined;
	}
	if ((await inspect(interpreter)) === "missing") {
		return interpreter;
	}
	if (basename(interpreter) !== "env") {
		return undefined;
	}
	const named = words.slice(1).find((word) => !word.startsWith("-") && !word.includes("="));
	if (named === undefined) {
		return undefined;
	}
	for (const candidate of candidatePaths(named, place)) {
		if ((await inspect(candidate)) === "executable") {
			return undefined;
		}
	}
	return named;
}

/** The words of a script's `#!` line, or undefined when the file is not a script. */
export async function readShebang(path: string): Promise<string[] | undefined> {
	let file: Awaited<ReturnType<typeof open>> | undefined;
	try {
		file = await open(path, "r");
		const { buffer, bytesRead } = await file.read(Buffer.alloc(shebang_bytes_max));
		const head = buffer.toString("latin1", 0, bytesRead);
		const [line = "", ...more] = head.split("\n", 2);
		if (!line.startsWith("#!")) {
			return undefined;
		}
		const words = line.slice(2).trim().split(/\s+/u);
		// The last word of a line that goes on may be cut off: it would name something else.
		const is_cut = more.length === 0 && bytesRead === shebang_bytes_max;
		const whole = is_cut ? words.slice(0, -1) : words;
		return whole.length === 0 ? undefined : whole;
	} catch {
		// A program that may be run but not read is no script.
		return undefined;
	} finally {
		await file?.close();
	}
}
