import { defineCommand } from "../command.ts";
import { exit_codes } from "../exit-codes.ts";
import { withGateway } from "../gateway.ts";
import { counted, duration } from "../output.ts";
import { printServers } from "../server-table.ts";

/** `moorage status` */
export const status_command = defineCommand({
	name: "status",
	summary: "the running gateway at a glance",
	description: "Shows the running gateway: its address, its servers and what they offer.",
	args: {},
	options: {},
	examples: [
		{ line: "moorage status", meaning: "the gateway of the configuration in this folder" },
		{ line: "moorage status --json", meaning: "the same for programs" },
	],
	run: ({ options }, context) =>
		withGateway(context, options, async (client) => {
			const { output } = context;
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
