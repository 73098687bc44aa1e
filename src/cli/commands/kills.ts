import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { printable } from "../output.ts";
import { withSwitches } from "../switches.ts";

/** `moorage kills` */
export const kills_command = defineCommand({
	name: "kills",
	summary: "what is switched off",
	description:
		"Lists every off switch: what it is about, who set it, why, and until when it holds. " +
		"Where no gateway runs it tells what the next one starts with.",
	args: {},
	options: {},
	examples: [{ line: "moorage kills", meaning: "oldest first" }],
	run: ({ options }, context) =>
		withSwitches(context, options, async (switches) => {
			const { output } = context;
			const kill_switches = await switches.list();
			const { way } = switches.way;
			if (options.json) {
				output.json({ kill_switches, way });
				return exit_codes.ok;
			}
			if (way === "data_folder") output.note("No gateway runs; the next one starts with this.");
			if (kill_switches.length === 0) {
				output.note("Nothing is switched off.");
				return exit_codes.ok;
			}
			const rows = kill_switches.map((one) => [
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
