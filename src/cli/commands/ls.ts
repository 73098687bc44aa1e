import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { noGateway, openClient } from "../gateway.ts";
import { printServers } from "../server-table.ts";

/** `moorage ls` */
export const ls_command = defineCommand({
	name: "ls",
	summary: "the servers and how they are",
	description:
		"Lists the servers with their state, the number of their tools and their address. While no " +
		"gateway runs, the servers that are known from last time are shown.",
	args: {},
	options: {},
	examples: [
		{ line: "moorage ls", meaning: "all servers" },
		{ line: "moorage ls --data ~/team/.moorage", meaning: "those of another gateway" },
	],
	async run({ options }, context) {
		const data = await dataFolder(context, options.data);
		const client = await openClient(data, context);
		if (client === undefined) return listStored(data, options.json, context);
		try {
			const { value } = await client.request("getStatus");
			if (options.json) context.output.json({ running: true, servers: value.servers });
			else printServers(value.servers, context.output);
			return exit_codes.ok;
		} finally {
			await client.close();
		}
	},
});

async function listStored(data: string, json: boolean, context: CommandContext): Promise<number> {
	// The database is loaded only where it is read: the usual case starts faster.
	const { storedCatalogs } = await import("../stored.ts");
	const catalogs = await storedCatalogs(data);
	if (catalogs.length === 0) throw noGateway(data);
	const servers = catalogs.map((catalog) => ({
		name: catalog.server,
		state: "stopped",
		tools: catalog.tools.length,
		resources: catalog.resources.length,
		prompts: catalog.prompts.length,
		fetched_at_ms: catalog.fetched_at_ms,
	}));
	const { output } = context;
	if (json) output.json({ running: false, servers });
	else {
		output.note("No gateway runs; these servers are known from last time.");
		output.table(
			["SERVER", "STATE", "TOOLS"],
			servers.map(({ name, state, tools }) => [name, output.look("dim", state), String(tools)]),
		);
	}
	return exit_codes.ok;
}
