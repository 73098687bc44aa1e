import type { ApprovalView } from "../../admin/safety-backend.ts";
import type { AdminClient } from "../client.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGatewayAsPerson } from "../gateway.ts";

const reason_option = {
	flags: "--reason <text>",
	description: "why, in a sentence",
	kind: "value",
} as const;

/** `moorage approve` */
export const approve_command = defineCommand({
	name: "approve",
	summary: "approve a call that waits",
	description:
		"Approves a call with exactly the arguments that `moorage approvals show ID` shows; it runs " +
		"as soon as its caller makes it again, or at once where it still waits. With `--args` it " +
		"runs with other arguments, where that is allowed. Whose key is in MOORAGE_KEY decides; without " +
		"one, whoever runs the gateway.",
	args: { id: { description: "id of the approval", kind: "required" } },
	options: {
		reason: reason_option,
		args: {
			flags: "--args <json>",
			description: "a JSON object: the arguments to run with instead",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage approve appr_3kX9v2QbT1mZ", meaning: "as it is" },
		{ line: `moorage approve appr_3kX9v2QbT1mZ --args '{"amount":5}'`, meaning: "changed" },
	],
	run: ({ args, options }, context) => {
		const edited = options.args === undefined ? undefined : objectOf(options.args);
		return withGatewayAsPerson(context, options, async (client) => {
			// Read first: the decision counts for these arguments and no others.
			const { value } = await client.request("getApproval", { path: { id: args.id } });
			const members = {
				verdict: "approve",
				reason: options.reason,
				arguments_hash: value.arguments_hash,
			};
			const head = JSON.stringify(members);
			const body = edited === undefined ? head : `${head.slice(0, -1)},"arguments":${edited}}`;
			return decide(client, args.id, body, options.json, context);
		});
	},
});

/** `moorage deny` */
export const deny_command = defineCommand({
	name: "deny",
	summary: "refuse a call that waits for approval",
	description:
		"Refuses a call; its caller is told, with the reason where there is one. Whose key is in " +
		"MOORAGE_KEY decides; without one, whoever runs the gateway.",
	args: { id: { description: "id of the approval", kind: "required" } },
	options: { reason: reason_option },
	examples: [
		{
			line: 'moorage deny appr_3kX9v2QbT1mZ --reason "Not on a Friday."',
			meaning: "with a reason",
		},
	],
	run: ({ args, options }, context) =>
		withGatewayAsPerson(context, options, (client) => {
			const body = JSON.stringify({ verdict: "deny", reason: options.reason });
			return decide(client, args.id, body, options.json, context);
		}),
});

async function decide(
	client: AdminClient,
	id: string,
	body: string,
	is_json: boolean,
	{ output }: CommandContext,
): Promise<number> {
	const { text, value } = await client.request("decideApproval", { path: { id }, body });
	if (is_json) output.raw(text);
	else output.line(outcomeOf(value));
	return exit_codes.ok;
}

function outcomeOf({ id, state, needed, votes }: ApprovalView): string {
	if (state !== "pending") return `${id} is ${state}.`;
	const agreed = votes.filter(({ verdict, counts }) => verdict === "approve" && counts).length;
	return `${id} has ${agreed} of the ${needed} approvals that it needs.`;
}

function objectOf(text: string): string {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
	} catch {
		// The same message as for any other text that is no object.
	}
	throw usageFailure("`--args` is not a JSON object.", `Write for example --args '{"amount":5}'.`);
}
