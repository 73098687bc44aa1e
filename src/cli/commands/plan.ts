import type { Changes } from "../../admin/contract.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { type Output, printable } from "../output.ts";

/** `moorage plan` */
export const plan_command = defineCommand({
	name: "plan",
	summary: "what applying the configuration would change",
	description:
		"Reads the configuration file as it is now and shows how it differs from what runs: " +
		"servers added and removed, and what is different in those that changed. Values that may " +
		"be secrets are named and not shown. Nothing is changed; `moorage apply` does that.",
	args: {},
	options: {},
	examples: [{ line: "moorage plan", meaning: "before `moorage apply`" }],
	run: ({ options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const { text, value } = await client.request("getPlan");
			if (options.json) output.raw(text);
			else printChanges(value, output);
			return exit_codes.ok;
		}),
});

function printChanges(changes: Changes, output: Output): void {
	const { added, removed, changed, settings, held, forks, warnings } = changes;
	for (const name of added) output.line(`${output.look("green", "+")} ${name}`);
	for (const name of removed) output.line(`${output.look("red", "-")} ${name}`);
	for (const { server, differences } of changed) {
		output.line(`${output.look("yellow", "~")} ${server}`);
		for (const line of differences) output.line(`    ${printable(line)}`);
	}
	if (settings.length > 0) {
		output.line(`${output.look("yellow", "~")} settings: ${settings.join(", ")}`);
	}
	if (added.length + removed.length + changed.length + settings.length === 0) {
		output.line("Nothing would change.");
	}
	for (const { server, version } of held) output.note(`${server} is held at version ${version}.`);
	if (forks.length > 0) output.note(`Forks, which no configuration has: ${forks.join(", ")}`);
	for (const warning of warnings) output.note(`warning: ${printable(warning)}`);
}
