import type { Version } from "../../admin/contract.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { type Output, printable } from "../output.ts";

/** `moorage versions` */
export const versions_command = defineCommand({
	name: "versions",
	summary: "the versions of a server",
	description:
		"Lists every version of a server: which one takes the calls, what it was made from, what " +
		"it offers otherwise than the one before, and why others failed.",
	args: { server: { description: "name of the server", kind: "required" } },
	options: {},
	examples: [{ line: "moorage versions github", meaning: "newest last" }],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const path = { name: args.server };
			const { text, value } = await client.request("listVersions", { path });
			if (options.json) {
				output.raw(text);
				return exit_codes.ok;
			}
			output.table(["VERSION", "STATE", "MADE", "BY", "PACKAGE"], value.versions.map(rowOf));
			for (const version of value.versions) printDetails(version, output);
			if (value.rollout !== undefined) {
				output.note(`Version ${value.rollout.version} is on its way: ${value.rollout.state}.`);
			}
			if (value.held_at !== undefined) {
				output.note(
					`Held at version ${value.held_at}; \`moorage deploy ${args.server}\` goes back to the configuration.`,
				);
			}
			if (value.forks.length > 0) output.note(`Forks: ${value.forks.join(", ")}`);
			return exit_codes.ok;
		}),
});

function rowOf(version: Version): string[] {
	const made = new Date(version.created_at_ms).toISOString().slice(0, 16).replace("T", " ");
	const { name, version: exact } = version.package ?? { name: "", version: undefined };
	const what = exact === undefined ? name : `${name}@${exact}`;
	return [String(version.number), version.state, made, version.source, printable(what)];
}

function printDetails({ number, reason, changes }: Version, output: Output): void {
	if (reason !== undefined) output.line(`version ${number}: ${printable(reason)}`);
	for (const line of changes) output.line(`version ${number}: ${printable(line)}`);
}
