import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { withProgress } from "../progress.ts";
import { printDeployed } from "../release-lines.ts";

/** `moorage promote` */
export const promote_command = defineCommand({
	name: "promote",
	summary: "let a waiting version, or a fork, take over",
	description:
		"Lets a version that was deployed with --hold or --percent take all calls now. Given the " +
		"name of a fork, puts that copy, with its files, in the place of the server it is a copy of.",
	args: { name: { description: "name of a server or of a fork", kind: "required" } },
	options: {},
	examples: [
		{ line: "moorage promote github", meaning: "the version that waits" },
		{ line: "moorage promote memory-fork", meaning: "a copy takes the original's place" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const promoting = client.request("promoteServer", { path: { name: args.name } });
			const { text, value } = await withProgress(context, `Promoting ${args.name}`, promoting);
			if (!options.json) return printDeployed(value, output);
			output.raw(text);
			return exit_codes.ok;
		}),
});
