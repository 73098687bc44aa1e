import { defineCommand } from "../command.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import type { Look } from "../output.ts";
import { withProgress } from "../progress.ts";

const looks: Readonly<Record<string, Look>> = { ok: "green", limited: "yellow", missing: "red" };

/** `moorage doctor` */
export const doctor_command = defineCommand({
	name: "doctor",
	summary: "what this machine can and cannot do",
	description:
		"Tells what this machine can and cannot do for Moorage, and what to install or change. " +
		"Needs no running gateway and changes nothing.",
	args: {},
	options: {},
	examples: [
		{ line: "moorage doctor", meaning: "before the first `moorage up`" },
		{ line: "moorage doctor --json", meaning: "for programs" },
	],
	async run({ options }, context) {
		const { clock, environment, output } = context;
		const data_dir = await dataFolder(context, options.data);
		const { probeMachine } = await import("../../hosting/doctor.ts");
		const probing = probeMachine({ clock, environment, data_dir });
		const checks = await withProgress(context, "Looking at this machine", probing);
		if (options.json) {
			output.json({
				checks: checks.map(({ name, status, detail, remedy }) => ({
					name,
					status,
					summary: detail,
					...(remedy === undefined ? {} : { next: remedy }),
				})),
			});
			return exit_codes.ok;
		}
		const width = Math.max(...checks.map(({ name }) => name.length));
		for (const { name, status, detail, remedy } of checks) {
			const word = output.look(looks[status] ?? "dim", status.padEnd(7));
			output.line(`${word}  ${name.padEnd(width)}  ${detail}`);
			if (remedy !== undefined) output.line(`${" ".repeat(9 + width)}  ${remedy}`);
		}
		return exit_codes.ok;
	},
});
