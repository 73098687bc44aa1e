import { defineCommand } from "../command.ts";
import { applyConfiguration } from "./reload.ts";

/** `moorage apply` */
export const apply_command = defineCommand({
	name: "apply",
	summary: "make what runs agree with the configuration",
	description:
		"Makes the running gateway read its configuration again, and starts a new version of each " +
		"server that changed beside the old one. A version that fails is given up, and the old one " +
		"runs on. `moorage plan` shows beforehand what would change.",
	args: {},
	options: {},
	examples: [{ line: "moorage apply", meaning: "after `moorage plan`" }],
	run: ({ options }, context) => applyConfiguration(options, context, "Applying"),
});
