import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { printable } from "../output.ts";

/** `moorage kills` */
export const kills_command = defineCommand({
	name: "kills",
	summary: "what is switched off",
	description:
		"Lists every off switch: what it is about, who set it, why, and until when it holds.",
	args: {},
	options: {},
	examples: [{ line: "moorage kills", meaning: "oldest first" }],
	run: ({ options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const { text, value } = await client.request("listKillSwitches");
			if (options.json) {
				output.raw(text);
				return exit_codes.ok;
			}
			if (value.kill_switches.length === 0) {
				output.note("Nothing is switched off.");
				return exit_codes.ok;
			}
			const rows = value.kill_switches.map((one) => [
				one.kind,
				printable(one.name ?? ""),
				printable(one.set_by),
				one.ends_at_ms === undefined ? "" : new Date(one.ends_at_ms).toISOString(),
				printable(one.reason),
			]);
			output.table(["KIND", "NAME", "BY", "UNTIL", "REASON"], rows);
			return exit_codes.ok;
		}),
});
