import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { withProgress } from "../progress.ts";

/** `moorage fork` */
export const fork_command = defineCommand({
	name: "fork",
	summary: "copy a server, with its files, to an address of its own",
	description:
		"Copies the version of a server that runs and its volumes, as they are at this moment, and " +
		"hosts the copy beside it. Try there what you like; `moorage promote FORK` puts the copy " +
		"in the place of the server, `moorage rm FORK` throws it away.",
	args: {
		server: { description: "name of the server", kind: "required" },
		name: { description: "name of the copy (default: SERVER-fork)", kind: "optional" },
	},
	options: {},
	examples: [
		{ line: "moorage fork memory", meaning: "copied to memory-fork" },
		{ line: "moorage fork memory trial", meaning: "under a name of its own" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const body = JSON.stringify(args.name === undefined ? {} : { name: args.name });
			const forking = client.request("forkServer", { path: { name: args.server }, body });
			const { text, value } = await withProgress(context, `Copying ${args.server}`, forking);
			if (options.json) {
				output.raw(text);
				return exit_codes.ok;
			}
			output.line(`${value.name}: a copy of ${value.server}, at ${value.url}`);
			output.note(`Put it in the place of ${value.server}: moorage promote ${value.name}`);
			return exit_codes.ok;
		}),
});
