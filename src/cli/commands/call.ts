import { z } from "zod";
import { nearestName } from "../../config/nearest.ts";
import type { AdminClient } from "../client.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";
import { withGateway } from "../gateway.ts";
import { untilInterrupted } from "../interrupt.ts";
import { withProgress } from "../progress.ts";
import { readAll } from "../read-all.ts";
import { resultText } from "../result-text.ts";
import { describeArguments, toolArguments } from "../tool-arguments.ts";

/** Larger arguments than this are refused by every gateway. */
const args_bytes_max = 64 * 1024 * 1024;

const tool_schema = z.looseObject({ name: z.string(), inputSchema: z.unknown().optional() });

/** `moorage call` */
export const call_command = defineCommand({
	name: "call",
	summary: "call a tool as any client would",
	description:
		"Calls a tool of a server and prints its result. A value gets the type that the tool's " +
		"schema gives it; name:=json passes JSON as it is. Exit code 5 means that the tool itself " +
		"said it failed.",
	args: {
		server: { description: "name of the server", kind: "required" },
		tool: { description: "name of the tool", kind: "required" },
		arguments: { description: "name=value or name:=json", kind: "rest" },
	},
	options: {
		args: {
			flags: "--args <json>",
			description: "all arguments as one JSON object; - reads it from standard input",
			kind: "value",
		},
	},
	examples: [
		{ line: "moorage call time get_current_time timezone=Europe/Paris", meaning: "one argument" },
		{ line: "moorage call db query sql='select 1' limit:=10", meaning: "text and a number" },
		{ line: "moorage call db query --args - < query.json", meaning: "arguments from a file" },
	],
	run: ({ args, options }, context) =>
		withGateway(context, options, (client) =>
			untilInterrupted(context, exit_codes.interrupted, async (signal) => {
				const body = await readArguments(args, options.args, client, context);
				const path = { name: args.server, tool: args.tool };
				const calling = client.request("callTool", { path, body, signal, wait_ms: 0 });
				const { text, value } = await withProgress(context, `Calling ${args.tool}`, calling);
				if (options.json) context.output.raw(text);
				else context.output.line(resultText(value));
				return value.isError === true ? exit_codes.tool_error : exit_codes.ok;
			}),
		),
});

interface CallWords {
	readonly server: string;
	readonly tool: string;
	readonly arguments: readonly string[];
}

async function readArguments(
	words: CallWords,
	args_option: string | undefined,
	client: AdminClient,
	context: CommandContext,
): Promise<string> {
	if (args_option !== undefined) {
		if (words.arguments.length > 0) {
			const message = "Arguments were given both as words and with --args.";
			throw usageFailure(message, "Use one of the two ways.");
		}
		if (args_option !== "-") return checkObject(args_option);
		return checkObject(await readAll(context.stdin, args_bytes_max));
	}
	const input_schema = await findTool(words, client);
	const made = toolArguments(words.arguments, input_schema);
	if (made.ok) return made.value;
	const wanted = describeArguments(input_schema);
	const list = wanted.length === 0 ? "it takes none" : wanted.join("; ");
	throw usageFailure(made.problem, `The arguments of ${words.tool}: ${list}.`);
}

/** The schema of the tool's arguments; a failure when the server has no such tool. */
async function findTool(words: CallWords, client: AdminClient): Promise<unknown> {
	const { value } = await client.request("listTools", { path: { name: words.server } });
	const tools = value.tools.flatMap((tool) => tool_schema.safeParse(tool).data ?? []);
	const found = tools.find((tool) => tool.name === words.tool);
	if (found !== undefined) return found.inputSchema;
	const names = tools.map((tool) => tool.name);
	const nearest = nearestName(words.tool, names);
	throw new CommandFailure({
		exit_code: exit_codes.failed,
		code: "not_offered",
		message: `The server "${words.server}" has no tool "${words.tool}".`,
		next:
			nearest === undefined
				? `See what it has: moorage tools ${words.server}`
				: `Did you mean "${nearest}"?`,
	});
}

function checkObject(text: string): string {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
	} catch {
		// Told below, together with JSON of another kind.
	}
	throw usageFailure("--args is not a JSON object.", "Write for example --args '{\"a\": 1}'.");
}
