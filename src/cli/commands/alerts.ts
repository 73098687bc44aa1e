import type { AlertView } from "../../admin/contracts/alerts.ts";
import { parseDuration } from "../../config/units.ts";
import type { AdminClient } from "../client.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { printable } from "../output.ts";

interface Options {
	readonly json: boolean;
	readonly state: string | undefined;
	readonly rule: string | undefined;
	readonly subject: string | undefined;
	readonly for: string | undefined;
	readonly reason: string | undefined;
	readonly end: string | undefined;
}

/** `moorage alerts` */
export const alerts_command = defineCommand({
	name: "alerts",
	summary: "what is wrong, and whom it is told",
	description:
		"`ls` lists alerts, the latest first. `show ID` prints one, and how telling people of it went. " +
		"`silence` tells nobody of some alerts for a time; with `--end ID` it ends a silence. `test` " +
		"tells every channel of an alert that is only a test, and fails where one cannot be told.",
	args: {
		action: { description: "`ls` (default), `show`, `silence` or `test`", kind: "optional" },
		id: { description: "id of the alert to show", kind: "optional" },
	},
	options: {
		state: {
			flags: "--state <state>",
			description: "list only `firing`, `pending` or `resolved`",
			kind: "value",
		},
		rule: { flags: "--rule <pattern>", description: "silence these rules", kind: "value" },
		subject: {
			flags: "--subject <pattern>",
			description: "silence alerts about this: `git/*`, a tenant, a server",
			kind: "value",
		},
		for: { flags: "--for <duration>", description: "how long: 30m, 8h", kind: "value" },
		reason: { flags: "--reason <text>", description: "why, for others", kind: "value" },
		end: { flags: "--end <id>", description: "end this silence", kind: "value" },
	},
	examples: [
		{ line: "moorage alerts --state firing", meaning: "what is wrong now" },
		{
			line: 'moorage alerts silence --rule "tool_*" --subject "git/*" --for 2h',
			meaning: "nobody is told of the tools of git for two hours",
		},
		{ line: "moorage alerts test", meaning: "whether everybody can be told" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, (client) => {
			switch (args.action) {
				case undefined:
				case "ls":
					return list(client, options, context);
				case "show":
					return show(client, args.id, options, context);
				case "silence":
					return silence(client, options, context);
				case "test":
					return test(client, options, context);
				default:
					throw usageFailure(
						`There is no \`moorage alerts ${args.action}\`.`,
						"Write `moorage alerts ls`, `show ID`, `silence` or `test`.",
					);
			}
		}),
});

async function list(client: AdminClient, options: Options, context: CommandContext) {
	const query: Record<string, string> = options.state === undefined ? {} : { state: options.state };
	const { text, value } = await client.request("listAlerts", { query });
	const { output } = context;
	if (options.json) output.raw(text);
	else if (value.alerts.length === 0) output.line("No alerts.");
	else output.table(["STATE", "RULE", "ABOUT", "SINCE", "ID"], value.alerts.map(rowOf));
	for (const { id, rule, subject, until_ms } of options.json ? [] : value.silences) {
		const what = `${printable(rule)} about ${printable(subject)}`;
		output.note(`Silenced until ${timeOf(until_ms)}: ${what} (${id})`);
	}
	return exit_codes.ok;
}

function rowOf({ id, rule, subject, state, since_ms, silenced }: AlertView): string[] {
	const shown = silenced ? `${state} (silenced)` : state;
	return [shown, printable(rule), printable(subject), timeOf(since_ms), id];
}

async function show(
	client: AdminClient,
	id: string | undefined,
	options: Options,
	{ output }: CommandContext,
) {
	if (id === undefined) {
		throw usageFailure("Which alert?", "`moorage alerts` lists them with their ids.");
	}
	const { text, value } = await client.request("getAlert", { path: { id } });
	if (options.json) {
		output.raw(text);
		return exit_codes.ok;
	}
	const { alert, deliveries } = value;
	output.line(printable(alert.summary));
	output.line(`${alert.severity} ${alert.rule} ${printable(alert.subject)}: ${alert.state}`);
	output.line(`since ${timeOf(alert.since_ms)}, told ${alert.told} times`);
	for (const { channel, state, attempts, problem } of deliveries) {
		const why = problem === undefined ? "" : `: ${printable(problem)}`;
		output.line(`${channel} ${state} after ${attempts} tries${why}`);
	}
	return exit_codes.ok;
}

async function silence(client: AdminClient, options: Options, { output }: CommandContext) {
	if (options.end !== undefined) {
		const { text } = await client.request("endSilence", { path: { id: options.end } });
		if (options.json) output.raw(text);
		else output.line("The silence is over.");
		return exit_codes.ok;
	}
	const for_ms = options.for === undefined ? undefined : parseDuration(options.for);
	if (for_ms === undefined) {
		throw usageFailure("For how long?", "Write for example `--for 2h`.");
	}
	const { rule, subject, reason } = options;
	const body = JSON.stringify({ rule, subject, for_ms, reason });
	const { text, value } = await client.request("silenceAlerts", { body });
	if (options.json) output.raw(text);
	else output.line(`Silenced until ${timeOf(value.until_ms)} (${value.id}).`);
	return exit_codes.ok;
}

async function test(client: AdminClient, options: Options, { output }: CommandContext) {
	const { text, value } = await client.request("testAlerts");
	const all_told = value.channels.every(({ told }) => told);
	if (options.json) output.raw(text);
	else {
		for (const { channel, told, problem } of value.channels) {
			output.line(told ? `${channel} was told` : `${channel} failed: ${printable(problem ?? "")}`);
		}
		if (value.channels.length === 0) {
			output.note("Nobody is told: add webhooks, slack or email under `alerts` in moorage.yaml.");
		}
	}
	return all_told ? exit_codes.ok : exit_codes.failed;
}

function timeOf(time_ms: number): string {
	return `${new Date(time_ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
