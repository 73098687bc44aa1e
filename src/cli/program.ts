import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { type ArgumentSpec, type Command, common_options, type OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { exit_code_meanings, exit_codes } from "./exit-codes.ts";

/** Help is laid out for this width everywhere, so that it reads the same in the documentation. */
export const help_columns = 96;

/** What `--help` says before the list of commands. */
const tagline = "Hosts MCP servers: every server supervised, every client served from one address.";

/** Where the parsed command line goes. */
interface Parsed {
	exit_code: number;
}

/**
 * Reads a command line and runs the command it names. Resolves with the exit code; rejects only
 * with what a command throws. Help and complaints about the command line itself are printed here.
 */
export async function runProgram(
	commands: readonly Command[],
	argv: readonly string[],
	context: CommandContext,
): Promise<number> {
	const parsed: Parsed = { exit_code: exit_codes.ok };
	const program = createProgram(commands, context, parsed);
	if (argv.length === 0) {
		program.outputHelp();
		return exit_codes.ok;
	}
	try {
		await program.parseAsync([...argv], { from: "user" });
		return parsed.exit_code;
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		return error.exitCode === 0 ? exit_codes.ok : exit_codes.usage;
	}
}

/** The help text of the program itself, or of one of its commands. */
export function helpText(
	commands: readonly Command[],
	context: CommandContext,
	name?: string,
): string {
	const program = createProgram(commands, context, { exit_code: exit_codes.ok });
	const target = program.commands.find((command) => command.name() === name) ?? program;
	let text = "";
	target.configureOutput({
		writeOut: (part) => {
			text += part;
		},
	});
	target.outputHelp();
	return text;
}

function createProgram(
	commands: readonly Command[],
	context: CommandContext,
	parsed: Parsed,
): Commander {
	const program = new Commander("moorage");
	program
		.description(tagline)
		.version(context.version, "-V, --version", "print the version")
		.helpOption("-h, --help", "print this help")
		.helpCommand("help [command]", "print help for a command")
		.configureHelp({ subcommandTerm })
		.configureOutput({
			writeOut: (text) => context.stdout.write(text),
			writeErr: (text) => context.stderr.write(text),
			outputError: (text, write) => write(complaint(text, undefined)),
			getOutHelpWidth: () => help_columns,
			getErrHelpWidth: () => help_columns,
		})
		.showSuggestionAfterError(true)
		.addHelpText("after", `\n${programEpilogue()}`)
		.exitOverride();
	for (const command of commands) addCommand(program, command, context, parsed);
	return program;
}

function addCommand(
	program: Commander,
	command: Command,
	context: CommandContext,
	parsed: Parsed,
): void {
	const options = { ...command.options, ...common_options };
	const made = program
		.command(command.name)
		.summary(command.summary)
		.description(command.description)
		.addHelpText("after", `\n${exampleText(command)}`)
		.configureOutput({ outputError: (text, write) => write(complaint(text, command)) });
	for (const [name, spec] of Object.entries(command.args)) {
		made.addArgument(new Argument(argumentText(name, spec), spec.description));
	}
	for (const spec of Object.values(options)) made.addOption(commanderOption(spec));
	made.action(async () => {
		const values = made.processedArgs;
		const names = Object.keys(command.args);
		const args = Object.fromEntries(names.map((name, index) => [name, values[index]]));
		const given = made.opts<Record<string, unknown>>();
		const read = Object.entries(options).map(([name, spec]) => [
			name,
			optionValue(spec, given[commanderOption(spec).attributeName()]),
		]);
		parsed.exit_code = await command.run({ args, options: Object.fromEntries(read) }, context);
	});
}

function argumentText(name: string, spec: ArgumentSpec): string {
	if (spec.kind === "required") return `<${name}>`;
	return spec.kind === "rest" ? `[${name}...]` : `[${name}]`;
}

function commanderOption(spec: OptionSpec): Option {
	const option = new Option(spec.flags, spec.description);
	if (spec.kind === "list") {
		option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
	}
	return option;
}

function optionValue(spec: OptionSpec, value: unknown): unknown {
	if (spec.kind === "switch") return value === true;
	return spec.kind === "list" ? (value ?? []) : value;
}

function exampleText(command: Command): string {
	const lines = command.examples.flatMap(({ line, meaning }) => [`  # ${meaning}`, `  ${line}`]);
	return ["Examples:", ...lines].join("\n");
}

function programEpilogue(): string {
	const codes = exit_code_meanings.map(
		([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`,
	);
	return ["Start here:", "  moorage up mcp.json", "", "Exit codes:", ...codes].join("\n");
}

/** A command in the list of commands: its name and what it takes. */
function subcommandTerm(command: Commander): string {
	const words = command.registeredArguments.map((argument) => {
		const name = argument.variadic ? `${argument.name()}...` : argument.name();
		return argument.required ? `<${name}>` : `[${name}]`;
	});
	return [command.name(), ...words].join(" ");
}

/** Commander's complaint in our own form, with what to do next. */
function complaint(text: string, command: Command | undefined): string {
	const [first = "", ...rest] = text.trimEnd().split("\n");
	const said = `moorage: ${first.replace(/^error: /, "")}`;
	const help = command === undefined ? "moorage --help" : `moorage ${command.name} --help`;
	const unknown_option = first.includes("unknown option");
	const hint =
		unknown_option && command?.usage_hint !== undefined
			? command.usage_hint
			: `See \`${help}\` for what there is.`;
	return `${[said, ...rest, `  ${hint}`].join("\n")}\n`;
}
