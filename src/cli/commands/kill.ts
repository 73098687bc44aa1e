import { parseDuration } from "../../config/units.ts";
import type { Clock } from "../../lib/clock.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { target_args, targetOf } from "../kill-words.ts";
import { printSwitched, withSwitches } from "../switches.ts";

/** `moorage kill` */
export const kill_command = defineCommand({
	name: "kill",
	summary: "switch a tool, server, client, user, tenant or all writes off",
	description:
		"Switches something off at once: calls of it are refused and those in flight are cancelled, " +
		"with an error that gives the reason. Tools that are off are in no list. It stays so over " +
		"restarts, until `moorage unkill`, or until the end that you give it. Where no gateway runs it " +
		"is stored in the data folder, and holds from the first call of the next one on.",
	args: target_args,
	options: {
		all: { flags: "--all", description: "switch everything off", kind: "switch" },
		reason: {
			flags: "--reason <text>",
			description: "why, in a sentence; callers are told (required)",
			kind: "value",
		},
		for: {
			flags: "--for <time>",
			description: "switch it on again after this time, such as 30m or 8h",
			kind: "value",
		},
		until: {
			flags: "--until <moment>",
			description: "switch it on again at this time, such as 2027-01-31T08:00Z",
			kind: "value",
		},
	},
	examples: [
		{
			line: 'moorage kill tool github__delete_repository --reason "Deletes too much."',
			meaning: "one tool",
		},
		{ line: 'moorage kill user acme/ana --for 2h --reason "Key was leaked."', meaning: "a user" },
		{ line: 'moorage kill writes --reason "Migration."', meaning: "whatever changes something" },
		{ line: 'moorage kill --all --reason "Incident 12."', meaning: "everything" },
	],
	run: ({ args, options }, context) => {
		const target = targetOf(args, options.all);
		const { reason } = options;
		if (reason === undefined || reason.trim() === "") {
			throw usageFailure("A reason is needed: callers are told.", 'Add `--reason "..."`.');
		}
		const ends_at_ms = endOf(options, context.clock);
		return withSwitches(context, options, async (switches) => {
			const switched = await switches.kill({ ...target, reason, ends_at_ms });
			printSwitched(switched, "Off", options.json, context);
			const { kind, name, ends_at_ms: ends } = switched.kill_switch;
			const lift = kind === "all" ? "--all" : `${kind} ${name ?? ""}`.trimEnd();
			if (options.json) return exit_codes.ok;
			context.output.note(
				ends === undefined
					? `Switch it on again: moorage unkill ${lift}`
					: `On again at ${new Date(ends).toISOString()}, or with: moorage unkill ${lift}`,
			);
			return exit_codes.ok;
		});
	},
});

function endOf(
	{ for: span, until }: { readonly for: string | undefined; readonly until: string | undefined },
	clock: Clock,
): number | undefined {
	if (span !== undefined && until !== undefined) {
		throw usageFailure("`--for` and `--until` say the same.", "Leave one of them away.");
	}
	if (span !== undefined) {
		const for_ms = parseDuration(span);
		if (for_ms !== undefined && for_ms > 0) return clock.now() + for_ms;
		throw usageFailure(`\`${span}\` is not a time.`, "Write for example 30m or 8h.");
	}
	if (until === undefined) return undefined;
	const at_ms = Date.parse(until);
	if (!Number.isNaN(at_ms) && at_ms > clock.now()) return at_ms;
	throw usageFailure(
		`\`${until}\` is not a moment that is yet to come.`,
		"Write for example 2027-01-31T08:00Z.",
	);
}
