import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";

/** `moorage dashboard` */
export const dashboard_command = defineCommand({
	name: "dashboard",
	summary: "print a link that opens the dashboard",
	description:
		"Prints a link that opens the dashboard of the running gateway, signed in. It is good once, " +
		"for half an hour; whoever opens it may do everything, so it is not for passing on.",
	args: {},
	options: {},
	examples: [
		{ line: "moorage dashboard", meaning: "open what it prints in a browser" },
		{ line: "moorage dashboard --json", meaning: "for scripts" },
	],
	async run({ options }, context) {
		const link = await withGateway(context, options, (client) => client.request("createLink"));
		const { output } = context;
		if (options.json) output.json(link.value);
		else {
			output.line(link.value.url);
			output.note("It opens the dashboard once, within half an hour.");
		}
		return exit_codes.ok;
	},
});
