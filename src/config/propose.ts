import { parseDocument } from "yaml";
import { splitCommand } from "./command-line.ts";
import { type Ask, asksOf } from "./propose-asks.ts";
import { safeServerName } from "./server-names.ts";

/** A server that a pasted text describes. */
export interface ProposedServer {
	/** A name that can be part of an address; maybe taken. */
	readonly name: string;
	readonly entry:
		| {
				readonly command: string;
				readonly args?: readonly string[];
				readonly env?: Readonly<Record<string, string>>;
				readonly cwd?: string;
		  }
		| { readonly url: string; readonly headers?: Readonly<Record<string, string>> };
	/** Values that a person has to give, and secrets that belong into the vault. */
	readonly asks: readonly Ask[];
	readonly notes: readonly string[];
}

/** Why nothing can be made of a text: a sentence, and what to paste. */
export interface ProposeProblem {
	readonly message: string;
	readonly next: string;
}

/** Servers of one document; a person goes through them one by one. */
const servers_max = 100;
/** Words that launch a package, before its name. */
const launchers = new Set(["npx", "bunx", "uvx", "pipx", "pnpm", "yarn", "docker", "podman"]);
const launcher_words = new Set([
	"run",
	"dlx",
	"exec",
	"-y",
	"--yes",
	"-i",
	"--rm",
	"-it",
	"--from",
]);

/**
 * What a pasted text would add: an address, a command line, the line by which another client adds a
 * server, or a configuration of any client. Nothing is started or looked up.
 */
export function proposeServers(text: string): readonly ProposedServer[] | ProposeProblem {
	const trimmed = text.trim().replace(/^\$ /, "");
	if (/^https?:\/\/\S+$/i.test(trimmed)) return [fromAddress(trimmed, undefined)];
	if (/^[{[]/.test(trimmed) || /^\s*["']?[\w.-]+["']?\s*:(\s|$)/m.test(trimmed)) {
		return fromDocument(trimmed);
	}
	return fromCommand(trimmed.replaceAll(/\\\r?\n/g, " "));
}

function fromAddress(
	url: string,
	given: string | undefined,
	headers: Readonly<Record<string, string>> = {},
): ProposedServer {
	const host = URL.parse(url)?.hostname ?? "server";
	const guess = host.replace(/^(mcp|api|www)\./, "").split(".")[0];
	const name = given ?? safeServerName(guess ?? "server");
	const entry = { url, ...(Object.keys(headers).length === 0 ? {} : { headers }) };
	return { name, entry, asks: asksOf(name, entry), notes: [] };
}

function fromCommand(line: string): readonly ProposedServer[] | ProposeProblem {
	const split = splitCommand(line);
	if (!split.ok) {
		return { message: "A quote in this command is never closed.", next: "Correct it." };
	}
	const words = split.words.map(({ text }) => text);
	if (words.length === 0) return nothing;
	const added = fromAddLine(words);
	if (added !== undefined) return added;
	const env: Record<string, string> = {};
	while (/^[A-Za-z_]\w*=/.test(words[0] ?? "")) {
		const [name, value] = splitOnce(words.shift() ?? "", "=");
		env[name] = value;
	}
	const [command, ...args] = words;
	if (command === undefined) return nothing;
	return [fromProgram(guessName(words), { command, args, env })];
}

/** `claude mcp add NAME -- CMD`, `claude mcp add --transport http NAME URL`, `moorage add …`. */
function fromAddLine(words: readonly string[]): readonly ProposedServer[] | undefined {
	const at = words.indexOf("add");
	const known = ["claude", "moorage", "codex", "gemini"];
	if (!known.includes(words[0] ?? "") || at < 1 || at > 2) return undefined;
	const dashes = words.indexOf("--");
	const before = words.slice(at + 1, dashes < 0 ? undefined : dashes);
	const env: Record<string, string> = {};
	const headers: Record<string, string> = {};
	const plain: string[] = [];
	for (let index = 0; index < before.length; index += 1) {
		const word = before[index] ?? "";
		if (!word.startsWith("-")) {
			plain.push(word);
			continue;
		}
		const value = before[index + 1] ?? "";
		if (/^(-e|--env)$/.test(word)) {
			const [name, rest] = splitOnce(value, "=");
			env[name] = rest;
		}
		if (/^(-H|--header)$/.test(word)) {
			const [name, rest] = splitOnce(value, ":");
			headers[name.trim()] = rest.trim();
		}
		if (!word.includes("=")) index += 1;
	}
	const [name = "server", ...rest] = plain;
	const safe = safeServerName(name);
	const [first, ...args] = dashes < 0 ? rest : words.slice(dashes + 1);
	if (first === undefined) return undefined;
	if (/^https?:\/\//i.test(first)) return [fromAddress(first, safe, headers)];
	return [fromProgram(safe, { command: first, args, env })];
}

function fromDocument(text: string): readonly ProposedServer[] | ProposeProblem {
	const document = parseDocument(text);
	if (document.errors.length > 0) {
		const [first] = document.errors;
		const line = first?.linePos?.[0].line ?? 1;
		return { message: `This cannot be read: line ${line} is wrong.`, next: "Correct it." };
	}
	const root: unknown = document.toJS({ maxAliasCount: 20 });
	if (!isObject(root)) return nothing;
	const nested = isObject(root["mcp"]) ? root["mcp"]["servers"] : undefined;
	const map = [root["mcpServers"], root["servers"], nested].find(isObject);
	const entries: [string, unknown][] =
		map !== undefined
			? Object.entries(map)
			: isEntry(root)
				? [[typeof root["name"] === "string" ? root["name"] : "", root]]
				: Object.entries(root).filter(([, value]) => isEntry(value));
	const found = entries.flatMap(([name, value]) => fromEntry(name, value) ?? []);
	if (found.length > servers_max) {
		const message = `These are ${found.length} servers, and at most ${servers_max} are taken at a time.`;
		return { message, next: "Paste them in parts, or write them into the configuration." };
	}
	return found.length > 0 ? found : nothing;
}

function isEntry(value: unknown): value is Record<string, unknown> {
	return isObject(value) && ["command", "url", "httpUrl", "serverUrl"].some((key) => key in value);
}

function fromEntry(name: string, value: unknown): ProposedServer | undefined {
	if (!isEntry(value)) return undefined;
	const url = [value["url"], value["httpUrl"], value["serverUrl"]].find(isText);
	if (url !== undefined) {
		const given = name === "" ? undefined : safeServerName(name);
		return fromAddress(url, given, texts(value["headers"]));
	}
	const line = value["command"];
	const given = Array.isArray(value["args"]) ? value["args"].map(String) : undefined;
	const words = isText(line) && given === undefined ? splitCommand(line) : undefined;
	const [command, ...args] =
		words?.ok === true
			? words.words.map(({ text }) => text)
			: [...(isText(line) ? [line] : []), ...(given ?? [])];
	if (command === undefined) return undefined;
	const guess = name === "" ? guessName([command, ...args]) : safeServerName(name);
	const cwd = isText(value["cwd"]) ? { cwd: value["cwd"] } : {};
	return fromProgram(guess, { command, args, env: texts(value["env"]), ...cwd });
}

function fromProgram(
	name: string,
	program: { command: string; args: string[]; env: Record<string, string>; cwd?: string },
): ProposedServer {
	const { command, args, env, cwd } = program;
	const notes: string[] = [];
	if (/^(ba|z|da)?sh$|^cmd(\.exe)?$|^powershell/i.test(command)) {
		notes.push("It starts a shell, which runs whatever its arguments say.");
	}
	const unpinned = args.find(
		(word) => /^@?[\w.-]+(\/[\w.-]+)?$/.test(word) && !word.startsWith("-"),
	);
	if (launchers.has(command) && unpinned !== undefined && !/@[\d^~]/.test(args.join(" "))) {
		notes.push("No version is named: the newest is resolved once, and kept from then on.");
	}
	const entry = {
		command,
		...(args.length === 0 ? {} : { args }),
		...(Object.keys(env).length === 0 ? {} : { env }),
		...(cwd === undefined ? {} : { cwd }),
	};
	return { name, entry, asks: asksOf(name, entry), notes };
}

/** `npx -y @scope/server-time@1` is called `time`. */
function guessName(words: readonly string[]): string {
	const [program = "", ...rest] = words;
	const package_word = launchers.has(program)
		? rest.find((word) => !word.startsWith("-") && !launcher_words.has(word))
		: undefined;
	const path = rest.find((word) => /\.(m?[jt]s|py)$/.test(word));
	const base = (package_word ?? path ?? program).replace(/^@/, "").replace(/(?<=.)@[^/]*$/, "");
	const last = base.split(/[/\\]/).at(-1) ?? base;
	const short = last
		.replace(/\.(m?[jt]s|py)$/, "")
		.replace(/:[^:]*$/, "")
		.replace(/^(mcp-server|server|mcp)-/, "")
		.replace(/-(mcp-server|mcp|server)$/, "");
	return safeServerName(short === "" ? "server" : short);
}

function splitOnce(text: string, mark: string): [string, string] {
	const at = text.indexOf(mark);
	return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function texts(value: unknown): Record<string, string> {
	if (!isObject(value)) return {};
	return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
	return typeof value === "string" && value !== "";
}

const nothing: ProposeProblem = {
	message: "This is neither a command, nor an address, nor a client's configuration.",
	next: "Paste a command such as `npx -y package`, a URL, or the content of an mcp.json.",
};
