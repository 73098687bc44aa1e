import type { DeployRequest } from "../../admin/contract.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { withProgress } from "../progress.ts";
import { printDeployed } from "../release-lines.ts";

/** `moorage deploy` */
export const deploy_command = defineCommand({
	name: "deploy",
	summary: "roll out a new version of a server",
	description:
		"Makes a new version of a server, as its configuration has it, and starts it beside the one " +
		"that runs. Once it has answered its handshake, what it offers is compared with before, and " +
		"it takes over: at once, or with a share of the calls at first. Calls in flight finish on " +
		"the old version. If the new one fails, the old one runs on. A package that is named without " +
		"a version, or an image by its tag, is what moorage.lock says; with `--update` it is found out " +
		"anew, and locked once the new version takes over.",
	args: { server: { description: "name of the server", kind: "required" } },
	options: {
		hold: {
			flags: "--hold",
			description: "only start and compare it; it waits for `moorage promote`",
			kind: "switch",
		},
		percent: {
			flags: "--percent <share>",
			description: "share of the calls it gets at first",
			kind: "value",
		},
		update: {
			flags: "--update",
			description: "take the newest package or image that its command allows",
			kind: "switch",
		},
		plan: {
			flags: "--plan",
			description: "only start and compare it, then end it again; nothing is changed",
			kind: "switch",
		},
	},
	examples: [
		{ line: "moorage deploy github", meaning: "all calls at once" },
		{ line: "moorage deploy github --percent 10", meaning: "a tenth of the callers at first" },
		{ line: "moorage deploy github --hold", meaning: "let it wait for `promote`" },
		{ line: "moorage deploy github --update", meaning: "the newest version of its package" },
		{ line: "moorage deploy github --update --plan", meaning: "what that would change" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			const request: DeployRequest = {
				...(options.hold ? { hold: true } : {}),
				...(options.update ? { update: true } : {}),
				...(options.plan ? { plan: true } : {}),
				...(options.percent === undefined ? {} : { percent: percentOf(options.percent) }),
			};
			const body = JSON.stringify(request);
			const deploying = client.request("deployServer", { path: { name: args.server }, body });
			const what = `Deploying ${args.server}`;
			const { text, value } = await withProgress(context, what, deploying);
			if (!options.json) return printDeployed(value, output);
			output.raw(text);
			return exit_codes.ok;
		}),
});

function percentOf(text: string): number {
	const percent = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
	if (percent >= 1 && percent <= 100) return percent;
	const message = `\`--percent ${text}\` is not a share of the calls.`;
	throw usageFailure(message, "Write a whole number from 1 to 100.");
}
