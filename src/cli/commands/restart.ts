import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { printable } from "../output.ts";
import { withProgress } from "../progress.ts";
import { stateWord } from "../server-table.ts";

/** `moorage restart` */
export const restart_command = defineCommand({
	name: "restart",
	summary: "stop a server and start it again",
	description:
		"Stops a server and starts it again, also when it had failed and would be tried again " +
		"only later.",
	args: { server: { description: "name of the server", kind: "required" } },
	options: {},
	examples: [{ line: "moorage restart github", meaning: "start it anew" }],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const restarting = client.request("restartServer", { path: { name: args.server } });
			const what = `Restarting ${args.server}`;
			const { text, value } = await withProgress(context, what, restarting);
			if (options.json) output.raw(text);
			else output.line(`${value.name}: ${stateWord(value)}`);
			if (value.state !== "failed") return exit_codes.ok;
			if (value.reason !== undefined) output.note(printable(value.reason));
			return exit_codes.failed;
		}),
});
