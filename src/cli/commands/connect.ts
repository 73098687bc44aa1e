import { nearestName } from "../../config/nearest.ts";
import { defineCommand } from "../command.ts";
import { type ClientKind, type Connection, client_kinds } from "../connect/clients.ts";
import { type ClientFile, readClientFile, writeClientFile } from "../connect/config-file.ts";
import { entrySnippet, withEntry, withoutEntry } from "../connect/entry-file.ts";
import type { EditProblem } from "../connect/json-edit.ts";
import type { CommandContext } from "../context.ts";
import { dataFolder } from "../data-folder.ts";
import { type GatewayPlace, placeOfGateway } from "../endpoint-address.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure, usageFailure } from "../failure.ts";

/** `moorage connect` */
export const connect_command = defineCommand({
	name: "connect",
	summary: "write Moorage into a client's configuration",
	description:
		"Writes Moorage into the configuration of a client: " +
		`${client_kinds.map((client) => client.id).join(", ")}. ` +
		"The file is backed up first; its other entries and comments stay as they are.",
	args: { client: { description: "the client to connect", kind: "required" } },
	options: {
		endpoint: {
			flags: "--endpoint <name>",
			description: "a server or endpoint instead of everything at once",
			kind: "value",
		},
		print: { flags: "--print", description: "print the entry, write nothing", kind: "switch" },
		undo: { flags: "--undo", description: "take the entry out again", kind: "switch" },
	},
	examples: [
		{ line: "moorage connect claude-code", meaning: "everything Moorage hosts, in Claude Code" },
		{ line: "moorage connect cursor --endpoint github", meaning: "one server only" },
		{ line: "moorage connect codex --print", meaning: "to paste by hand" },
		{ line: "moorage connect vscode --undo", meaning: "as it was before" },
	],
	async run({ args, options }, context) {
		const client = findClient(args.client);
		if (options.print && options.undo) {
			throw usageFailure("--print and --undo exclude each other.", "Use one of them.");
		}
		const name = entryName(options.endpoint);
		if (options.undo) return undo(client, name, options.json, context);
		const data = await dataFolder(context, options.data);
		const place = await placeOfGateway(data, options.endpoint, context);
		const entry = client.entry(connectionOf(client, place, data, options.endpoint, context));
		if (options.print) return print(client, name, entry, options.json, context);
		return write(client, name, entry, place, options.json, context);
	},
});

function findClient(id: string): ClientKind {
	const client = client_kinds.find((kind) => kind.id === id);
	if (client !== undefined) return client;
	const known = client_kinds.map((kind) => kind.id);
	const nearest = nearestName(id, known);
	throw usageFailure(
		`Moorage does not know the client "${id}".`,
		nearest === undefined ? `It knows: ${known.join(", ")}.` : `Did you mean "${nearest}"?`,
	);
}

function entryName(endpoint: string | undefined): string {
	return endpoint === undefined ? "moorage" : `moorage-${endpoint}`;
}

function connectionOf(
	client: ClientKind,
	place: GatewayPlace,
	data: string,
	endpoint: string | undefined,
	context: CommandContext,
): Connection {
	if (client.connects === "http") return { kind: "http", url: place.url };
	const [command, ...first] = context.self;
	const args = [...first, "stdio", ...(endpoint === undefined ? [] : [endpoint]), "--data", data];
	return { kind: "stdio", command, args };
}

function print(
	client: ClientKind,
	name: string,
	entry: Record<string, unknown>,
	json: boolean,
	context: CommandContext,
): number {
	const { output } = context;
	const path = client.path(context);
	if (json) output.json({ client: client.id, path, format: client.format, name, entry });
	else {
		output.note(`For ${path}:`);
		output.line(entrySnippet(client, name, entry));
	}
	return exit_codes.ok;
}

async function write(
	client: ClientKind,
	name: string,
	entry: Record<string, unknown>,
	place: GatewayPlace,
	json: boolean,
	context: CommandContext,
): Promise<number> {
	const file = await readFile(client, context);
	if (place.config === file.path) {
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: "own_config",
			message: `The gateway runs from ${file.path} itself: it would host itself.`,
			next: "Move its servers into a file of their own, start `moorage up` on that, and connect.",
		});
	}
	const edited = withEntry(client, file.text, name, entry);
	if (!edited.ok) throw refused(file, edited.problem);
	const backup = await save(file, edited.value, context);
	const changed = edited.value !== file.text;
	const { output } = context;
	if (json) output.json({ client: client.id, path: file.path, name, entry, changed, backup });
	else if (!changed) output.line(`${client.title} is connected already (${file.path}).`);
	else {
		output.line(`${client.title} is connected: wrote "${name}" into ${file.path}.`);
		if (backup !== undefined) output.line(`The file as it was: ${backup}`);
		output.line(client.reload);
	}
	if (!place.running && client.connects === "http") {
		output.note(`No gateway runs right now; it is expected at ${place.url}.`);
	}
	return exit_codes.ok;
}

async function undo(
	client: ClientKind,
	name: string,
	json: boolean,
	context: CommandContext,
): Promise<number> {
	const file = await readFile(client, context);
	const edited = withoutEntry(client, file.text, name);
	if (!edited.ok) throw refused(file, edited.problem);
	const changed = file.exists && edited.value !== file.text;
	const backup = changed ? await save(file, edited.value, context) : undefined;
	const { output } = context;
	if (json) output.json({ client: client.id, path: file.path, name, changed, backup });
	else if (!changed) output.line(`There is no "${name}" in ${file.path}.`);
	else {
		output.line(`Took "${name}" out of ${file.path}.`);
		output.line(`The file as it was: ${backup}`);
	}
	return exit_codes.ok;
}

async function readFile(client: ClientKind, context: CommandContext): Promise<ClientFile> {
	const file = await readClientFile(client.path(context));
	if (file.ok) return file.value;
	throw new CommandFailure({
		exit_code: exit_codes.failed,
		code: "client_file",
		message: file.problem,
		next: "Correct that, or paste the entry yourself: --print shows it.",
	});
}

/** Writes the file when its text has changed; gives the backup's path. */
async function save(
	file: ClientFile,
	text: string,
	context: CommandContext,
): Promise<string | undefined> {
	if (file.exists && text === file.text) return undefined;
	const now_ms = context.clock.now();
	const written = await writeClientFile(file, text, { now_ms, unique: context.random.uuid() });
	if (written.ok) return written.value;
	throw new CommandFailure({
		exit_code: exit_codes.failed,
		code: "client_file",
		message: written.problem,
		next: "Nothing was changed. --print shows the entry to paste by hand.",
	});
}

function refused(file: ClientFile, problem: EditProblem): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "client_file",
		message: `${file.path}:${problem.line}:${problem.column}: ${problem.message}`,
		next: "Nothing was changed. Correct the file, or paste the entry yourself: --print shows it.",
	});
}
