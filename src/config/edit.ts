import { basename } from "node:path";
import { fail, type Result, succeed } from "../lib/result.ts";
import { joinCommand } from "./command-line.ts";
import { read_limits } from "./defaults.ts";
import { addMember, memberNames, parseGood, removeMember, type ServersKey } from "./edit-json.ts";
import { addYamlServer, parseEditable, removeYamlServer, yamlServerNames } from "./edit-yaml.ts";
import { syntaxOf } from "./find.ts";
import { type ConfigProblem, placelessProblem } from "./problem.ts";
import { readBounded, readReason } from "./read-bounded.ts";
import { type FileState, fileState, replaceFile } from "./replace-file.ts";
import { checkServerName, safeServerName } from "./server-names.ts";

/** A server to be added: a program on this machine, or an address. */
export type NewServer =
	| {
			/** The program alone; it is never split. */
			readonly command: string;
			readonly args?: readonly string[];
			readonly env?: Readonly<Record<string, string>>;
			readonly cwd?: string;
	  }
	| { readonly url: string; readonly headers?: Readonly<Record<string, string>> };

/** The text before an edit, and how the file keeps its servers. */
interface Editable {
	readonly text: string;
	readonly state: FileState | undefined;
}

type Edited = Result<string, ConfigProblem>;

/**
 * Adds a server to a configuration file of any form, keeping comments and everything else.
 * A file that does not exist is made. Refuses a name that is there already.
 */
export function addServer(
	path: string,
	name: string,
	entry: NewServer,
): Promise<Result<void, ConfigProblem>> {
	return editFile(path, ({ text, state }) => {
		const wrong = checkServerName(name);
		if (wrong !== undefined) return fail(placelessProblem(path, wrong.message, wrong.next));
		if (syntaxOf(path) === "yaml")
			return addToYaml(path, state === undefined ? "version: 1\n" : text, name, entry);
		return addToJson(path, state === undefined ? newJson(path) : text, name, entry);
	});
}

/** Removes a server by its name, or by the name its address has. */
export function removeServer(path: string, name: string): Promise<Result<void, ConfigProblem>> {
	return editFile(path, ({ text, state }) => {
		if (state === undefined) {
			return fail(placelessProblem(path, "The configuration does not exist.", "Correct the path."));
		}
		if (syntaxOf(path) === "yaml") return removeFromYaml(path, text, name);
		return removeFromJson(path, text, name);
	});
}

async function editFile(
	path: string,
	edit: (editable: Editable) => Edited,
): Promise<Result<void, ConfigProblem>> {
	try {
		const state = await fileState(path);
		let text = "";
		if (state !== undefined) {
			const content = await readBounded(path, read_limits.config_bytes_max);
			if (!content.ok) return fail(unreadable(path, content.problem));
			text = content.value;
		}
		const edited = edit({ text, state });
		if (!edited.ok) return edited;
		if (Buffer.byteLength(edited.value) > read_limits.config_bytes_max) return fail(full(path));
		if (await replaceFile(path, edited.value, state)) return succeed(undefined);
		return fail(
			placelessProblem(path, "Somebody else changed the file meanwhile.", "Try it again."),
		);
	} catch (error) {
		return fail(unreadable(path, readReason(error)));
	}
}

function unreadable(path: string, reason: string): ConfigProblem {
	return placelessProblem(path, `The configuration ${reason}.`, "Correct it, or edit it by hand.");
}

/** What would be written could not be read any more. */
function full(path: string): ConfigProblem {
	return placelessProblem(
		path,
		`The configuration would be larger than ${read_limits.config_bytes_max} bytes.`,
		"Remove what is no longer needed first.",
	);
}

function broken(path: string): ConfigProblem {
	return placelessProblem(
		path,
		"The configuration has errors, so it is not edited.",
		"Run `moorage up` to see them, and correct them first.",
	);
}

function taken(path: string, name: string): ConfigProblem {
	return placelessProblem(
		path,
		`A server \`${name}\` is there already.`,
		"Choose another name, or remove that one first.",
	);
}

function absent(path: string, name: string, names: readonly string[]): ConfigProblem {
	const known = names.map((one) => `\`${one}\``).join(", ");
	return placelessProblem(
		path,
		`There is no server \`${name}\`.`,
		names.length === 0 ? "The file has none." : `Name one of: ${known}.`,
	);
}

function addToYaml(path: string, text: string, name: string, entry: NewServer): Edited {
	const document = parseEditable(text);
	const names = document === undefined ? undefined : yamlServerNames(document);
	if (document === undefined || names === undefined) return fail(broken(path));
	if (names.includes(name)) return fail(taken(path, name));
	return succeed(addYamlServer(text, document, name, moorageEntry(entry)));
}

function removeFromYaml(path: string, text: string, name: string): Edited {
	const document = parseEditable(text);
	const names = document === undefined ? undefined : yamlServerNames(document);
	if (document === undefined || names === undefined) return fail(broken(path));
	if (!names.includes(name)) return fail(absent(path, name, names));
	return succeed(removeYamlServer(text, document, name));
}

function addToJson(path: string, text: string, name: string, entry: NewServer): Edited {
	const root = parseGood(text);
	if (root?.type !== "object") return fail(broken(path));
	const is_moorage = hasMoorageForm(path, memberNames(root, []));
	const container = containerOf(path, memberNames(root, []));
	const names = memberNames(root, [container]);
	if (names.some((one) => one === name || safeServerName(one) === name)) {
		return fail(taken(path, name));
	}
	const value = is_moorage ? moorageEntry(entry) : clientEntry(entry);
	const edited = addMember(text, root, [container], name, value);
	return checkNames(path, edited, container, [...names, name]);
}

function removeFromJson(path: string, text: string, name: string): Edited {
	const root = parseGood(text);
	if (root?.type !== "object") return fail(broken(path));
	const container = containerOf(path, memberNames(root, []));
	const names = memberNames(root, [container]);
	const found =
		names.find((one) => one === name) ?? names.find((one) => safeServerName(one) === name);
	const edited = found === undefined ? undefined : removeMember(text, root, [container], found);
	if (found === undefined || edited === undefined) return fail(absent(path, name, names));
	return checkNames(
		path,
		edited,
		container,
		names.filter((one) => one !== found),
	);
}

/** Never writes a text that does not read back as what was meant. */
function checkNames(
	path: string,
	text: string,
	container: ServersKey,
	expected: readonly string[],
): Edited {
	const root = parseGood(text);
	const names = root === undefined ? [] : memberNames(root, [container]);
	const is_good = root !== undefined && names.join("\0") === expected.join("\0");
	return is_good ? succeed(text) : fail(broken(path));
}

function hasMoorageForm(path: string, keys: readonly string[]): boolean {
	const is_versioned = keys.includes("version") && !keys.includes("mcpServers");
	return basename(path) === "moorage.json" || is_versioned;
}

function containerOf(path: string, keys: readonly string[]): ServersKey {
	if (keys.includes("mcpServers")) return "mcpServers";
	if (keys.includes("servers") || hasMoorageForm(path, keys)) return "servers";
	return path.includes(".vscode") ? "servers" : "mcpServers";
}

function newJson(path: string): string {
	return basename(path) === "moorage.json"
		? '{\n  "version": 1,\n  "servers": {}\n}\n'
		: `{\n  "${containerOf(path, [])}": {}\n}\n`;
}

/** The entry in moorage.yaml's form, where `command` is one text. */
function moorageEntry(entry: NewServer): object {
	if ("url" in entry) return entry;
	const { command, args = [], env, cwd } = entry;
	return {
		command: joinCommand([command, ...args]),
		...(env === undefined || Object.keys(env).length === 0 ? {} : { env }),
		...(cwd === undefined ? {} : { cwd }),
	};
}

/** The entry in the form of client files. */
function clientEntry(entry: NewServer): object {
	return "url" in entry ? { type: "http", ...entry } : entry;
}
