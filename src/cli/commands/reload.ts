import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { withProgress } from "../progress.ts";

/** `moorage reload` */
export const reload_command = defineCommand({
	name: "reload",
	summary: "read the configuration again",
	description:
		"Makes the running gateway read its configuration again. Only servers that changed " +
		"restart. A configuration with mistakes is refused, and everything runs on as it was.",
	args: {},
	options: {},
	examples: [{ line: "moorage reload", meaning: "after editing the configuration" }],
	run: ({ options }, context) => applyConfiguration(options, context, "Reloading"),
});

/** Makes the gateway take over its configuration and prints what came of it. */
export function applyConfiguration(
	options: { readonly data: string | undefined; readonly json: boolean },
	context: CommandContext,
	doing: string,
): Promise<number> {
	return withGateway(context, options, async (client) => {
		const { output } = context;
		const { text, value } = await withProgress(context, doing, client.request("reload"));
		if (options.json) {
			output.raw(text);
			return exit_codes.ok;
		}
		for (const line of changeLines(value)) output.line(line);
		for (const warning of value.warnings) output.note(`warning: ${warning}`);
		return exit_codes.ok;
	});
}

/** What a reload did, in lines for people. */
export function changeLines(change: {
	readonly added: readonly string[];
	readonly removed: readonly string[];
	readonly changed: readonly string[];
	readonly settings: readonly string[];
}): string[] {
	const lines = (["added", "removed", "changed", "settings"] as const)
		.filter((kind) => change[kind].length > 0)
		.map((kind) => `${kind}: ${change[kind].join(", ")}`);
	return lines.length === 0 ? ["Nothing changed."] : lines;
}
