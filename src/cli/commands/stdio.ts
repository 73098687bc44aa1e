import { resolve } from "node:path";
import { loadPlan } from "../../config/load.ts";
import type { Daemon } from "../../daemon/options.ts";
import { SecretRedactor } from "../../secrets/redactor.ts";
import { openLog } from "../../telemetry/log.ts";
import { runBridge } from "../bridge/bridge.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { mcpAddress } from "../endpoint-address.ts";
import { exit_codes } from "../exit-codes.ts";
import { findGateway, noGateway } from "../gateway.ts";
import { untilInterrupted } from "../interrupt.ts";
import { startFailure } from "../start-failure.ts";

/** `moorage stdio` */
export const stdio_command = defineCommand({
	name: "stdio",
	summary: "bridge an endpoint to a client on standard streams",
	description:
		"Connects a client that can only start programs to the running gateway: messages come on " +
		"standard input and go to standard output, one JSON object a line. A restart of the gateway " +
		"goes unnoticed. With --config, that configuration is hosted for as long as the client " +
		"stays, unless a gateway runs already. Where the gateway wants an API key, MOORAGE_KEY holds it.",
	args: {
		endpoint: {
			description: "a server or endpoint (default: everything at once)",
			kind: "optional",
		},
	},
	options: {
		config: {
			flags: "--config <file>",
			description: "host this configuration when no gateway runs",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage stdio", meaning: "as the command of a client's configuration" },
		{ line: "moorage stdio github", meaning: "one server only" },
		{ line: "moorage stdio --config mcp.json", meaning: "without a gateway of its own" },
	],
	run: ({ args, options }, context) =>
		untilInterrupted(context, exit_codes.interrupted, async (signal) => {
			const data = await bridgeData(options, context);
			const found = await findGateway(data, context);
			if (found.state === "none" && options.config === undefined) throw noGateway(data);
			const hosted =
				found.state === "none"
					? await hostHere(options.config as string, options.data, context)
					: undefined;
			let known: string | undefined;
			const locate = async (fresh: boolean) => {
				if (hosted !== undefined) return mcpAddress(hosted.url, args.endpoint);
				if (known === undefined || fresh) {
					const now = await findGateway(data, context);
					known = now.state === "running" ? mcpAddress(now.url, args.endpoint) : undefined;
				}
				return known;
			};
			const { stdin, stdout, clock, environment } = context;
			const key = environment["MOORAGE_KEY"];
			const note = (text: string) => context.output.note(`moorage: ${text}`);
			try {
				await runBridge({ stdin, stdout, clock, locate, key, note, signal });
			} finally {
				await hosted?.stop();
			}
			return signal.aborted ? exit_codes.interrupted : exit_codes.ok;
		}),
});

interface StdioOptions {
	readonly data: string | undefined;
	readonly config: string | undefined;
}

/** The folder of the configuration that was given, else the usual one. */
async function bridgeData(options: StdioOptions, context: CommandContext): Promise<string> {
	if (options.data !== undefined || options.config === undefined) {
		return dataFolder(context, options.data);
	}
	const { cwd, environment, home } = context;
	const path = resolve(cwd, options.config);
	const plan = await loadPlan({ path, cwd, environment, home, overrides: {} });
	if (plan.ok) return plan.value.data;
	throw startFailure({
		message: "The configuration has mistakes.",
		next: "Correct them and start again.",
		config: plan.problem,
	});
}

/** A gateway in this process, for this client, on a port nobody else has. */
async function hostHere(
	config: string,
	data: string | undefined,
	context: CommandContext,
): Promise<Daemon> {
	const { cwd, environment, home, clock, random } = context;
	// Standard output belongs to the client; what the log says goes to standard error.
	const redactor = new SecretRedactor();
	const log = openLog({ clock, level: "warn", redactor });
	const overrides = { listen: "127.0.0.1:0", ...(data === undefined ? {} : { data }) };
	const load = () => loadPlan({ path: config, cwd, environment, home, overrides });
	const { startDaemon } = await import("../../daemon/daemon.ts");
	const started = await startDaemon({ load, environment, clock, random, log, redactor });
	if (started.ok) return started.value;
	throw startFailure(started.problem);
}
