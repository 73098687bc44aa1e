import { printApproval } from "../approval-lines.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGatewayAsPerson } from "../gateway.ts";
import { printable } from "../output.ts";

/** `moorage approvals` */
export const approvals_command = defineCommand({
	name: "approvals",
	summary: "calls that wait for a person's approval",
	description:
		"Lists the calls that wait for approval, with `--all` also those that were decided. `moorage " +
		"approvals show ID` shows one with exactly what it is to be called with.",
	args: {
		action: { description: "`ls` (default) or `show`", kind: "optional" },
		id: { description: "which one to show", kind: "optional" },
	},
	options: { all: { flags: "--all", description: "also those that were decided", kind: "switch" } },
	examples: [
		{ line: "moorage approvals", meaning: "what waits" },
		{ line: "moorage approvals show appr_3kX9v2QbT1mZ", meaning: "one of them, exactly" },
	],
	run: ({ args, options }, context) =>
		withGatewayAsPerson(context, options, async (client) => {
			const { output } = context;
			const { action = "ls", id } = args;
			if (action === "show" && id !== undefined) {
				const { text, value } = await client.request("getApproval", { path: { id } });
				if (options.json) output.raw(text);
				else printApproval(value, output);
				return exit_codes.ok;
			}
			if (action !== "ls" || id !== undefined) {
				const message = "Write `moorage approvals`, or `moorage approvals show ID`.";
				throw usageFailure(`There is no \`moorage approvals ${action}\` of this form.`, message);
			}
			const query: Record<string, string> = options.all ? {} : { state: "pending" };
			const { text, value } = await client.request("listApprovals", { query });
			if (options.json) {
				output.raw(text);
				return exit_codes.ok;
			}
			if (value.approvals.length === 0) {
				output.note(options.all ? "There are no approvals." : "No call waits for approval.");
				return exit_codes.ok;
			}
			const rows = value.approvals.map((one) => [
				one.id,
				one.state,
				printable(one.principal),
				printable(`${one.server}: ${one.tool}`),
				printable(one.arguments_json),
			]);
			output.table(["ID", "STATE", "CALLER", "TOOL", "ARGUMENTS"], rows);
			if (!options.all) output.note("Decide: moorage approve ID, or moorage deny ID --reason ...");
			return exit_codes.ok;
		}),
});
