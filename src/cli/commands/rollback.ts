import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { withProgress } from "../progress.ts";
import { printDeployed } from "../release-lines.ts";

/** `moorage rollback` */
export const rollback_command = defineCommand({
	name: "rollback",
	summary: "go back to an older version of a server",
	description:
		"Starts an older version of a server beside the one that runs and lets it take over once " +
		"it is ready. The server stays at that version, whatever its configuration says, until the " +
		"configuration changes or the server is deployed. A new version that waits, or has a share " +
		"of the calls, is given up for the one that runs.",
	args: {
		server: { description: "name of the server", kind: "required" },
		version: { description: "number of the version (default: the one before)", kind: "optional" },
	},
	options: {},
	examples: [
		{ line: "moorage rollback github", meaning: "to the version before" },
		{ line: "moorage rollback github 3", meaning: "to version 3" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const body = JSON.stringify(
				args.version === undefined ? {} : { version: numberOf(args.version) },
			);
			const rolling = client.request("rollbackServer", { path: { name: args.server }, body });
			const what = `Rolling ${args.server} back`;
			const { text, value } = await withProgress(context, what, rolling);
			if (!options.json) return printDeployed(value, output);
			output.raw(text);
			return exit_codes.ok;
		}),
});

function numberOf(text: string): number {
	const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
	if (number >= 1) return number;
	const message = `\`${text}\` is not the number of a version.`;
	throw usageFailure(message, "`moorage versions SERVER` lists them.");
}
