import { formatProblem } from "../config/problem.ts";
import type { Command } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure, type FailureParts } from "./failure.ts";
import { runProgram } from "./program.ts";

/**
 * Runs one command line to its exit code. Whatever goes wrong is told here, in one form: a
 * sentence and what to do next on standard error and, with `--json`, an object with `error` on
 * standard output. A defect of ours is told with its stack. Never rejects.
 */
export async function runCommandLine(
	commands: readonly Command[],
	argv: readonly string[],
	context: CommandContext,
): Promise<number> {
	try {
		return await runProgram(commands, argv, context);
	} catch (error) {
		if (error instanceof CommandFailure) return tell(error.parts, wantsJson(argv), context);
		const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
		context.output.note(`moorage: this is a defect of Moorage itself: ${detail}`);
		if (wantsJson(argv)) {
			const message = "This is a defect of Moorage itself.";
			context.output.json({ error: { code: "internal", message } });
		}
		return exit_codes.failed;
	}
}

function tell(parts: FailureParts, json: boolean, context: CommandContext): number {
	const { output } = context;
	const config = parts.config ?? [];
	output.note(`${output.noteLook("red", "moorage:")} ${parts.message}`);
	for (const problem of config) output.note(`  ${formatProblem(problem)}`);
	if (parts.next !== undefined) output.note(`  ${parts.next}`);
	if (json) {
		const { code, message, next } = parts;
		output.json({
			error: {
				code,
				message,
				...(next === undefined ? {} : { next }),
				...(config.length === 0 ? {} : { config }),
			},
		});
	}
	return parts.exit_code;
}

/** Options end at `--`; what follows belongs to the server that is being added. */
function wantsJson(argv: readonly string[]): boolean {
	const end = argv.indexOf("--");
	return (end === -1 ? argv : argv.slice(0, end)).includes("--json");
}
