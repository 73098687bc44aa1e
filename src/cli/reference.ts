import type { Command } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { helpText } from "./program.ts";

const head = `# Command line

Every command has \`--help\`, \`--json\` for programs (only JSON on standard output; what people
need to know goes to standard error) and \`--data DIR\`, which names the gateway by its state folder.
Without \`--data\` it is the folder of the configuration found in the working directory.

Commands talk to the running gateway through its admin API, with the token in
\`keys/admin-token\` of the state folder. \`ls\`, \`tools\`, \`resources\` and \`prompts\` also work while no
gateway runs: they show what is known from last time.

This page is made from the program's own help.
`;

/** The page docs/cli.md: one section a command, with its help text. */
export function cliReference(commands: readonly Command[], context: CommandContext): string {
	const sections = [
		section("moorage", helpText(commands, context)),
		...commands.map(({ name }) => section(`moorage ${name}`, helpText(commands, context, name))),
	];
	return [head, ...sections].join("\n");
}

function section(title: string, help: string): string {
	return `## ${title}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`;
}
