import type { StdioSpec } from "../../config/plan.ts";
import { recognizeNpmCommand } from "./npm-command.ts";
import { recognizePythonCommand } from "./python-command.ts";
import type { Recognition } from "./request.ts";

/**
 * Tells whether a command line starts a launcher that fetches a package each time it runs, and
 * which package. Never guesses: what it does not know in full is `other`.
 */
export function recognizeCommand(spec: Pick<StdioSpec, "command" | "args">): Recognition {
	const { command, args } = withoutWindowsShell(spec);
	const program = plainName(command);
	const found = recognizeNpmCommand(program, args);
	return found.kind === "other" ? recognizePythonCommand(program, args) : found;
}

/**
 * Whether a command line starts such a launcher, in whatever way: what is left to it is fetched
 * at every start, which is worth knowing.
 */
export function isLauncher(spec: Pick<StdioSpec, "command" | "args">): boolean {
	const { command, args } = withoutWindowsShell(spec);
	const program = plainName(command);
	const words = [program, ...args.filter((word) => !word.startsWith("-"))].slice(0, 3).join(" ");
	return launchers.some((launcher) => words === launcher || words.startsWith(`${launcher} `));
}

const launchers: readonly string[] = [
	"npx",
	"npm exec",
	"npm x",
	"bunx",
	"bun x",
	"pnpx",
	"pnpm dlx",
	"yarn dlx",
	"uvx",
	"uv tool run",
	"pipx run",
];

/** `cmd /c npx ...` is how Windows configurations start a launcher; the shell adds nothing. */
function withoutWindowsShell(spec: Pick<StdioSpec, "command" | "args">) {
	const [flag, command, ...args] = spec.args;
	const is_shell = plainName(spec.command) === "cmd" && flag?.toLowerCase() === "/c";
	return is_shell && command !== undefined ? { command, args } : spec;
}

/** A program's name without its folder and without an extension of Windows. */
function plainName(command: string): string {
	const name = command.split(/[/\\]/u).at(-1) ?? command;
	return name.replace(/\.(?:exe|cmd|bat|ps1)$/iu, "");
}
