import { spawn } from "node:child_process";

/** What a program wrote, both streams in the order of arrival, and how it ended. */
export interface ProgramResult {
	readonly code: number;
	readonly output: string;
}

/** What is kept of a program's output. */
const output_chars_max = 4 * 1024 * 1024;

/** Runs a program to its end. A program that cannot be started ends with code 127. */
export function runProgram(
	program: string,
	args: readonly string[],
	options: { cwd: string; environment?: NodeJS.ProcessEnv },
): Promise<ProgramResult> {
	return new Promise((resolve) => {
		const child = spawn(program, args, {
			cwd: options.cwd,
			env: options.environment ?? process.env,
			stdio: ["ignore", "pipe", "pipe"],
		});
		let output = "";
		const keep = (chunk: string) => {
			if (output.length < output_chars_max) output += chunk;
		};
		child.stdout.setEncoding("utf8").on("data", keep);
		child.stderr.setEncoding("utf8").on("data", keep);
		child.on("error", (error) => resolve({ code: 127, output: error.message }));
		child.on("close", (code) => resolve({ code: code ?? 1, output }));
	});
}
