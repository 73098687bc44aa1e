import { listCalls } from "../calls/list.ts";
import { showCall } from "../calls/show.ts";
import { defineCommand } from "../command.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";

/** `moorage calls` */
export const calls_command = defineCommand({
	name: "calls",
	summary: "what was called, by whom, with what result",
	description:
		"Lists calls of the past, the latest first. `moorage calls show ID` prints one in full; with " +
		"`--payload` also what went in and out, from the audit, which writes down who read it. " +
		"Payloads need the role auditor or admin.",
	args: {
		action: { description: "`show`, or nothing to list", kind: "optional" },
		id: { description: "id of the call to show", kind: "optional" },
	},
	options: {
		since: {
			flags: "--since <time>",
			description: "ended since: 30m, 1h, 7d, or a time as 2026-01-31T12:00:00Z",
			kind: "value",
		},
		until: { flags: "--until <time>", description: "ended before", kind: "value" },
		server: { flags: "--server <name>", description: "of a server", kind: "value" },
		user: { flags: "--user <user>", description: "of a person: ana, or acme/ana", kind: "value" },
		tenant: { flags: "--tenant <name>", description: "of a tenant", kind: "value" },
		client: { flags: "--client <id>", description: "of an authenticated client", kind: "value" },
		tool: { flags: "--tool <name>", description: "of a tool, prompt or uri", kind: "value" },
		method: { flags: "--method <name>", description: "of a method: tools/call", kind: "value" },
		session: { flags: "--session <id>", description: "of a session", kind: "value" },
		trace: { flags: "--trace <id>", description: "of a trace", kind: "value" },
		status: {
			flags: "--status <status>",
			description: "ok, client_error, server_error, timeout, or error for all but ok",
			kind: "value",
		},
		decision: {
			flags: "--decision <decision>",
			description: "allow, deny, limit or ask",
			kind: "value",
		},
		search: {
			flags: "--search <words>",
			description: "with these words in the error, its code or the tool's name",
			kind: "value",
		},
		limit: { flags: "--limit <count>", description: "how many (default: 50)", kind: "value" },
		payload: { flags: "--payload", description: "what went in and out too", kind: "switch" },
	},
	examples: [
		{ line: "moorage calls --since 1h --status error", meaning: "what went wrong" },
		{ line: "moorage calls --server github --user ana --json", meaning: "what Ana did there" },
		{ line: "moorage calls show 0198a000-…-000000000001", meaning: "one call in full" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, (client) => {
			if (args.action === undefined) return listCalls(client, options, context);
			if (args.action !== "show" || args.id === undefined) {
				throw usageFailure(
					`There is no \`moorage calls ${args.action}\`.`.replace(" show`", " show` without an id"),
					"Write `moorage calls` or `moorage calls show ID`.",
				);
			}
			return showCall(client, args.id, options, context);
		}),
});
