import { type LogLine, log_tail_default, log_tail_max } from "../../admin/contract.ts";
import type { AdminClient } from "../client.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { untilInterrupted } from "../interrupt.ts";
import { printable } from "../output.ts";

/** `moorage logs` */
export const logs_command = defineCommand({
	name: "logs",
	summary: "what servers wrote for people",
	description:
		"Shows the last lines that a server wrote to its standard error, and what happened to it. " +
		"Without a name, those of all servers.",
	args: { server: { description: "name of the server", kind: "optional" } },
	options: {
		follow: { flags: "-f, --follow", description: "go on with new lines", kind: "switch" },
		tail: {
			flags: "-n, --tail <lines>",
			description: `how many of the last lines (default: ${log_tail_default})`,
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage logs github", meaning: "why did it fail?" },
		{ line: "moorage logs -f", meaning: "watch all servers" },
		{ line: "moorage logs github -f --json", meaning: "one JSON object a line" },
	],
	async run({ args, options }, context) {
		const tail = readTail(options.tail);
		return withGateway(context, options, async (client) => {
			const servers =
				args.server === undefined
					? (await client.request("listServers")).value.servers.map(({ name }) => name)
					: [args.server];
			const printer = new LinePrinter(context, servers, options.json);
			if (options.follow) return follow(client, servers, tail, printer, context);
			const lines = await Promise.all(
				servers.map(async (server) => {
					const query = { tail: String(tail) };
					const logs = await client.request("getLogs", { path: { name: server }, query });
					return logs.value.lines.map((line) => ({ server, line }));
				}),
			);
			const ordered = lines.flat().toSorted((a, b) => a.line.time_ms - b.line.time_ms);
			for (const { server, line } of ordered) printer.print(server, line);
			return exit_codes.ok;
		});
	},
});

async function follow(
	client: AdminClient,
	servers: readonly string[],
	tail: number,
	printer: LinePrinter,
	context: CommandContext,
): Promise<number> {
	return untilInterrupted(context, exit_codes.interrupted, async (signal) => {
		await Promise.all(
			servers.map((server) =>
				client.followLog(server, {
					tail,
					signal,
					onLine: (line) => printer.print(server, line),
					onDropped: (lines) => context.output.note(`${server}: ${lines} lines left out`),
				}),
			),
		);
		return signal.aborted ? exit_codes.interrupted : exit_codes.ok;
	});
}

/** Prints lines as they come: for people, or each as a JSON object. */
class LinePrinter {
	readonly #context: CommandContext;
	readonly #width: number;
	readonly #json: boolean;

	constructor(context: CommandContext, servers: readonly string[], json: boolean) {
		this.#context = context;
		this.#width = servers.length > 1 ? Math.max(...servers.map((name) => name.length)) : 0;
		this.#json = json;
	}

	print(server: string, line: LogLine): void {
		const { output } = this.#context;
		if (this.#json) {
			output.raw(JSON.stringify({ server, ...line }));
			return;
		}
		const time = new Date(line.time_ms).toISOString();
		const name = this.#width === 0 ? "" : `${output.look("cyan", server.padEnd(this.#width))} `;
		const text = printable(line.text);
		const shown = line.source === "event" ? output.look("yellow", text) : text;
		output.line(`${output.look("dim", time)} ${name}${shown}`);
	}
}

function readTail(text: string | undefined): number {
	if (text === undefined) return log_tail_default;
	const tail = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
	if (tail <= log_tail_max) return tail;
	throw usageFailure(
		`--tail ${text} is not a number of lines.`,
		`Give a number from 0 to ${log_tail_max}.`,
	);
}
