import type { CommandContext } from "./context.ts";

/** An option of a command. The kind decides what its value is. */
export interface OptionSpec {
	/** As commander reads it: `-f, --follow` or `--tail <lines>`. */
	readonly flags: string;
	readonly description: string;
	/** `switch`: a boolean. `value`: a text or undefined. `list`: may be repeated. */
	readonly kind: "switch" | "value" | "list";
}

/** A positional argument of a command. */
export interface ArgumentSpec {
	readonly description: string;
	readonly kind: "required" | "optional" | "rest";
}

/** One way to use a command. */
export interface Example {
	readonly line: string;
	readonly meaning: string;
}

type ArgumentValue<Spec extends ArgumentSpec> = Spec["kind"] extends "required"
	? string
	: Spec["kind"] extends "rest"
		? readonly string[]
		: string | undefined;

type OptionValue<Spec extends OptionSpec> = Spec["kind"] extends "switch"
	? boolean
	: Spec["kind"] extends "list"
		? readonly string[]
		: string | undefined;

/** Options that every command has. */
export const common_options = {
	data: {
		flags: "--data <dir>",
		description: "state folder of the gateway (default: the one of the configuration found here)",
		kind: "value",
	},
	json: { flags: "--json", description: "print JSON only", kind: "switch" },
} as const satisfies Record<string, OptionSpec>;

type CommonOptions = typeof common_options;

/** What a command is called with. */
export interface Invocation<
	Args extends Record<string, ArgumentSpec>,
	Options extends Record<string, OptionSpec>,
> {
	readonly args: { readonly [Name in keyof Args]: ArgumentValue<Args[Name]> };
	readonly options: {
		readonly [Name in keyof (Options & CommonOptions)]: OptionValue<
			(Options & CommonOptions)[Name]
		>;
	};
}

/** A command as it is written down. */
export interface CommandSpec<
	Args extends Record<string, ArgumentSpec>,
	Options extends Record<string, OptionSpec>,
> {
	readonly name: string;
	/** A few words for the list of commands. */
	readonly summary: string;
	/** Sentences for `--help`. */
	readonly description: string;
	/** In the order they are given. */
	readonly args: Args;
	readonly options: Options;
	readonly examples: readonly [Example, ...Example[]];
	/** What to do about an option the command does not have, where that has a usual reason. */
	readonly usage_hint?: string;
	/** Resolves with the exit code. */
	run(invocation: Invocation<Args, Options>, context: CommandContext): Promise<number>;
}

/** A command as the rest of the program sees it: data and one function. */
export type Command = CommandSpec<Record<string, ArgumentSpec>, Record<string, OptionSpec>>;

/** Checks a command's own types and forgets them. */
export function defineCommand<
	const Args extends Record<string, ArgumentSpec>,
	const Options extends Record<string, OptionSpec>,
>(spec: CommandSpec<Args, Options>): Command {
	return spec;
}
