import { counted } from "../../lib/counted.ts";
import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { duration } from "../output.ts";
import { printServer } from "../server-details.ts";
import { printServers } from "../server-table.ts";

/** `moorage status` */
export const status_command = defineCommand({
	name: "status",
	summary: "the running gateway at a glance",
	description:
		"Shows the running gateway: its address, its servers and what they offer. With the name of " +
		"a server, everything about that one: its state and why, its instances and what they use, " +
		"what confines and limits it, and what it asked of the network.",
	args: { server: { description: "name of a server", kind: "optional" } },
	options: {},
	examples: [
		{ line: "moorage status", meaning: "the gateway of the configuration in this folder" },
		{ line: "moorage status github", meaning: "one server in full" },
		{ line: "moorage status --json", meaning: "the same for programs" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
			if (args.server !== undefined) {
				const found = await client.request("getServerDetails", { path: { name: args.server } });
				if (options.json) output.raw(found.text);
				else printServer(found.value, context.clock.now(), output);
				return exit_codes.ok;
			}
			const { text, value } = await client.request("getStatus");
			if (options.json) {
				output.raw(text);
				return exit_codes.ok;
			}
			output.line(`${output.look("bold", "Moorage")} ${value.version} at ${value.url}`);
			const facts = [
				`process ${value.pid}`,
				`up ${duration(value.uptime_ms)}`,
				counted(value.sessions, "session"),
			];
			output.line(facts.join(", "));
			output.line(`config  ${value.config ?? "none"}`);
			output.line(`data    ${value.data}`);
			output.line();
			printServers(value.servers, output);
			output.line();
			output.table(
				["ENDPOINT", "SERVERS", "ADDRESS"],
				value.endpoints.map((endpoint) => [
					endpoint.name,
					String(endpoint.servers.length),
					endpoint.url,
				]),
			);
			return exit_codes.ok;
		}),
});
