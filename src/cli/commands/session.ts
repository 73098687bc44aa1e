import type { McpSession } from "../../admin/contracts/mcp-sessions.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { printable } from "../output.ts";

/** `moorage session` */
export const session_command = defineCommand({
	name: "session",
	summary: "sessions of MCP clients",
	description:
		"Lists the sessions that clients of revisions before 2026-07-28 have open, the last used " +
		"first, and ends one: its streams are closed, it is answered as unknown from then on, and " +
		"its client has to open another, with a credential that is good.",
	args: {
		action: { description: "`ls` or `end`", kind: "required" },
		id: { description: "id of the session, as `ls` shows it", kind: "optional" },
	},
	options: {
		principal: { flags: "--principal <id>", description: "only of this person", kind: "value" },
		endpoint: { flags: "--endpoint <name>", description: "only at this endpoint", kind: "value" },
	},
	examples: [
		{ line: "moorage session ls", meaning: "whose, which client, when it was used last" },
		{ line: "moorage session ls --principal acme/ana", meaning: "those of one person" },
		{ line: "moorage session end 3fa9c2b10e7d8845a1c06f", meaning: "ends one" },
	],
	run({ args, options }, context) {
		const { output } = context;
		const { action, id } = args;
		const { json, principal, endpoint } = options;
		if (action === "ls") {
			return withGateway(context, options, async (client) => {
				const query = {
					limit: "1000",
					...(principal !== undefined && { principal }),
					...(endpoint !== undefined && { endpoint }),
				};
				const { text, value } = await client.request("listMcpSessions", { query });
				if (json) output.raw(text);
				else if (value.sessions.length === 0) output.note("No client has a session open.");
				else {
					const columns = ["ID", "WHO", "ENDPOINT", "CLIENT", "REVISION", "USED", "CONNECTED"];
					output.table(columns, value.sessions.map(rowOf));
					const rest = value.total - value.sessions.length;
					if (rest > 0) output.note(`There are ${rest} more.`);
				}
				return exit_codes.ok;
			});
		}
		if (action !== "end") {
			const message = `There is no \`moorage session ${action}\`.`;
			throw usageFailure(message, "Write `moorage session ls` or `end`.");
		}
		if (id === undefined) throw usageFailure("Which session?", "Write `moorage session end ID`.");
		return withGateway(context, options, async (client) => {
			const { text, value } = await client.request("endMcpSession", { path: { id } });
			if (json) output.raw(text);
			else output.line(`Ended: a session of ${printable(value.principal)} at ${value.endpoint}.`);
			return exit_codes.ok;
		});
	},
});

function rowOf(session: McpSession): string[] {
	const { name = "-", version = "" } = session.client;
	return [
		session.id,
		printable(session.principal),
		session.endpoint,
		printable(`${name} ${version}`.trim()),
		session.revision,
		new Date(session.used_at_ms).toISOString(),
		session.connected ? "yes" : "no",
	];
}
