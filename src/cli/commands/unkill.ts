import { killId } from "../../policy/kill-target.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { target_args, targetOf } from "../kill-words.ts";
import { printable } from "../output.ts";

/** `moorage unkill` */
export const unkill_command = defineCommand({
	name: "unkill",
	summary: "switch on again what `moorage kill` switched off",
	description:
		"Switches something on again, from the next call on. Say it in the same words as `moorage " +
		"kill`; `moorage kills` lists what is off.",
	args: target_args,
	options: {
		all: { flags: "--all", description: "take back `moorage kill --all`", kind: "switch" },
	},
	examples: [
		{ line: "moorage unkill tool github__delete_repository", meaning: "one tool" },
		{ line: "moorage unkill --all", meaning: "everything that `kill --all` switched off" },
	],
	run: ({ args, options }, context) => {
		const id = killId(targetOf(args, options.all));
		return withGateway(context, options, async (client) => {
			const { text, value } = await client.request("unkill", { path: { id } });
			if (options.json) context.output.raw(text);
			else context.output.line(`On again: ${printable(value.id)}`);
			return exit_codes.ok;
		});
	},
});
