import { resolve } from "node:path";
import type { ServerEntry } from "../../admin/contract.ts";
import { addServer } from "../../config/edit.ts";
import { findConfig } from "../../config/find.ts";
import { referenceTo, secretName } from "../../config/literal-secrets.ts";
import { looksSecret } from "../../secrets/looks-secret.ts";
import { defineCommand } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";
import { openClient } from "../gateway.ts";
import { withProgress } from "../progress.ts";

/** The file that is made when there is none. */
const new_config = "moorage.yaml";

/** `moorage add` */
export const add_command = defineCommand({
	name: "add",
	summary: "add a server",
	description:
		"Adds a server to the configuration: a command that runs on this machine, after --, or the " +
		"address of a remote server. A running gateway starts it at once. Without one, the " +
		"configuration of this folder is changed, or made.",
	args: {
		name: { description: "name for the server; part of its address", kind: "required" },
		target: { description: "a URL, or -- and the command with its arguments", kind: "rest" },
	},
	options: {
		env: {
			flags: "--env <name=value>",
			description: "environment variable of the command; may be repeated",
			kind: "list",
		},
		cwd: { flags: "--cwd <dir>", description: "folder the command runs in", kind: "value" },
		header: {
			flags: "--header <name=value>",
			description: "HTTP header sent to the URL; may be repeated",
			kind: "list",
		},
		config: {
			flags: "--config <file>",
			description: "the configuration to change when no gateway runs",
			kind: "value",
		},
	},
	examples: [
		{
			line: "moorage add memory -- npx -y @modelcontextprotocol/server-memory",
			meaning: "a command",
		},
		{
			line: "moorage add git --env GIT_DIR=/srv/repo -- uvx mcp-server-git",
			meaning: "a command with an environment variable",
		},
		{ line: "moorage add docs https://example.com/mcp", meaning: "a remote server" },
	],
	usage_hint: "Put -- before the server's own command: moorage add NAME -- COMMAND ARGS",
	async run({ args, options }, context) {
		const entry = entryOf(args.target, options, context);
		const data = await dataFolder(context, options.data);
		const client = await openClient(data, context);
		if (client === undefined) {
			const path = await configPath(options.config, context);
			await edit(path, args.name, entry);
			return tell(args.name, path, undefined, options.json, context);
		}
		try {
			const body = JSON.stringify({ name: args.name, entry });
			const adding = client.request("addServer", { body });
			const { value } = await withProgress(context, `Adding ${args.name}`, adding);
			return tell(value.name, value.config, value.url, options.json, context);
		} finally {
			await client.close();
		}
	},
});

interface EntryOptions {
	readonly env: readonly string[];
	readonly header: readonly string[];
	readonly cwd: string | undefined;
}

function entryOf(
	target: readonly string[],
	options: EntryOptions,
	context: CommandContext,
): ServerEntry {
	const [command, ...args] = target;
	if (command === undefined) {
		throw usageFailure(
			"There is nothing to add.",
			"Write the command after --, for example: moorage add time -- uvx mcp-server-time",
		);
	}
	if (args.length === 0 && /^https?:\/\//i.test(command)) {
		if (options.env.length > 0 || options.cwd !== undefined) {
			throw usageFailure("A URL has no --env and no --cwd.", "Use --header for a remote server.");
		}
		const headers = pairs("--header", options.header);
		return { url: command, ...(headers === undefined ? {} : { headers }) };
	}
	if (options.header.length > 0) {
		throw usageFailure("A command has no --header.", "Use --env for a server on this machine.");
	}
	const env = pairs("--env", options.env);
	return {
		command,
		...(args.length === 0 ? {} : { args }),
		...(env === undefined ? {} : { env }),
		...(options.cwd === undefined ? {} : { cwd: resolve(context.cwd, options.cwd) }),
	};
}

function pairs(option: string, words: readonly string[]): Record<string, string> | undefined {
	if (words.length === 0) return undefined;
	return Object.fromEntries(
		words.map((word) => {
			const equals = word.indexOf("=");
			if (equals > 0) {
				const [name, value] = [word.slice(0, equals), word.slice(equals + 1)];
				refuseSecret(option, name, value);
				return [name, value];
			}
			throw usageFailure(`${option} ${word} has no value.`, `Write ${option} NAME=VALUE.`);
		}),
	);
}

/** What stands on a command line, and then in a file, is no place for a secret. */
function refuseSecret(option: string, name: string, value: string): void {
	if (value.includes("${") || !looksSecret(value.replace(/^(bearer|basic) /i, ""), name)) return;
	const place = { server: "", part: option === "--header" ? "headers" : "env", name };
	const secret = secretName({ ...place, server: "server" });
	const next =
		`Run \`moorage secret set ${secret}\`, and write ` +
		`${option} '${name}=${referenceTo(secret, value, place)}'.`;
	throw usageFailure(`The value of ${name} looks like a secret.`, next);
}

/** The configuration to change: the one given, the one found here, or a new one. */
async function configPath(option: string | undefined, context: CommandContext): Promise<string> {
	if (option !== undefined) return resolve(context.cwd, option);
	const found = await findConfig(undefined, context.cwd);
	return (found.ok ? found.value : undefined) ?? resolve(context.cwd, new_config);
}

async function edit(path: string, name: string, entry: ServerEntry): Promise<void> {
	const plain =
		"url" in entry
			? { url: entry.url, ...(entry.headers === undefined ? {} : { headers: entry.headers }) }
			: {
					command: entry.command,
					...(entry.args === undefined ? {} : { args: entry.args }),
					...(entry.env === undefined ? {} : { env: entry.env }),
					...(entry.cwd === undefined ? {} : { cwd: entry.cwd }),
				};
	const edited = await addServer(path, name, plain);
	if (edited.ok) return;
	throw new CommandFailure({
		exit_code: exit_codes.cannot_start,
		code: "config_refused",
		message: "The configuration was not changed.",
		config: [edited.problem],
	});
}

function tell(
	name: string,
	config: string,
	url: string | undefined,
	json: boolean,
	context: CommandContext,
): number {
	const { output } = context;
	if (json) output.json({ name, config, ...(url === undefined ? {} : { url }) });
	else {
		output.line(`Added "${name}" to ${config}.`);
		if (url === undefined) output.line("Start it: moorage up");
		else output.line(`Its address: ${url}`);
	}
	return exit_codes.ok;
}
