import { killId } from "../../policy/kill-target.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { target_args, targetOf } from "../kill-words.ts";
import { printSwitched, withSwitches } from "../switches.ts";

/** `moorage unkill` */
export const unkill_command = defineCommand({
	name: "unkill",
	summary: "switch on again what `moorage kill` switched off",
	description:
		"Switches something on again, from the next call on. Say it in the same words as `moorage " +
		"kill`; `moorage kills` lists what is off. Works on the running gateway, and on its data " +
		"folder when none runs.",
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
		return withSwitches(context, options, async (switches) => {
			printSwitched(await switches.unkill(id), "On again", options.json, context);
			return exit_codes.ok;
		});
	},
});
