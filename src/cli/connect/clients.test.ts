import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "smol-toml";
import { type ClientKind, client_kinds, type Machine } from "./clients.ts";
import { entrySnippet, withEntry, withoutEntry } from "./entry-file.ts";

const home = "/home/ada";
const nothing: Machine = { environment: {}, home, platform: "linux" };

function find(id: string): ClientKind {
	const client = client_kinds.find((kind) => kind.id === id);
	assert.ok(client, id);
	return client;
}

const support = "/home/ada/Library/Application Support";

const places: readonly (readonly [string, Partial<Machine>, string])[] = [
	["claude-desktop", {}, "/home/ada/.config/Claude/claude_desktop_config.json"],
	["claude-desktop", { platform: "darwin" }, `${support}/Claude/claude_desktop_config.json`],
	[
		"claude-desktop",
		{ platform: "win32", environment: { APPDATA: "/roaming" } },
		"/roaming/Claude/claude_desktop_config.json",
	],
	[
		"claude-desktop",
		{ platform: "win32" },
		"/home/ada/AppData/Roaming/Claude/claude_desktop_config.json",
	],
	["claude-code", {}, "/home/ada/.claude.json"],
	["claude-code", { platform: "darwin" }, "/home/ada/.claude.json"],
	["claude-code", { environment: { CLAUDE_CONFIG_DIR: "/c" } }, "/c/.claude.json"],
	["claude-code", { environment: { CLAUDE_CONFIG_DIR: "" } }, "/home/ada/.claude.json"],
	["cursor", {}, "/home/ada/.cursor/mcp.json"],
	["cursor", { platform: "win32" }, "/home/ada/.cursor/mcp.json"],
	["vscode", {}, "/home/ada/.config/Code/User/mcp.json"],
	["vscode", { environment: { XDG_CONFIG_HOME: "/x" } }, "/x/Code/User/mcp.json"],
	["vscode", { platform: "darwin" }, `${support}/Code/User/mcp.json`],
	["codex", {}, "/home/ada/.codex/config.toml"],
	["codex", { environment: { CODEX_HOME: "/c" } }, "/c/config.toml"],
];

for (const [id, machine, path] of places) {
	test(`${id} keeps its servers in ${path} with ${JSON.stringify(machine)}`, () => {
		assert.equal(find(id).path({ ...nothing, ...machine }), path);
	});
}

const http = { kind: "http", url: "http://127.0.0.1:8642/mcp" } as const;
const stdio = { kind: "stdio", command: "/usr/bin/node", args: ["m", "stdio"] } as const;

test("each client gets an entry of the form it reads", () => {
	const entries = Object.fromEntries(
		client_kinds.map((client) => [
			client.id,
			client.entry(client.connects === "http" ? http : stdio),
		]),
	);
	assert.deepEqual(entries, {
		"claude-desktop": { command: "/usr/bin/node", args: ["m", "stdio"] },
		"claude-code": { type: "http", url: http.url },
		cursor: { url: http.url },
		vscode: { type: "http", url: http.url },
		codex: { url: http.url },
	});
});

for (const client of client_kinds) {
	const connection = client.connects === "http" ? http : stdio;
	const entry = client.entry(connection);
	// Parsed TOML has no prototypes; through JSON both formats compare alike.
	const read = (text: string) =>
		JSON.parse(client.format === "toml" ? JSON.stringify(parse(text)) : text) as Record<
			string,
			unknown
		>;

	test(`${client.id}: the entry goes in, stays as it is, and comes out`, () => {
		const added = withEntry(client, "", "moorage", entry);
		assert.ok(added.ok);
		assert.deepEqual(read(added.value)[client.section], { moorage: entry });
		assert.deepEqual(withEntry(client, added.value, "moorage", entry), added);
		const removed = withoutEntry(client, added.value, "moorage");
		assert.ok(removed.ok);
		assert.ok(!removed.value.includes("moorage"));
	});

	test(`${client.id}: what is printed to paste is what would be written`, () => {
		const snippet = entrySnippet(client, "moorage", entry);
		assert.deepEqual(read(snippet), { [client.section]: { moorage: entry } });
	});

	test(`${client.id}: every key that says how to connect gives way, others stay`, () => {
		const old = Object.fromEntries(client.owned.map((key) => [key, "old"]));
		const mine = { ...old, timeout: 5 };
		const before = withEntry(client, "", "moorage", mine);
		assert.ok(before.ok);
		const after = withEntry(client, before.value, "moorage", entry);
		assert.ok(after.ok, JSON.stringify(after));
		assert.deepEqual(read(after.value)[client.section], { moorage: { ...entry, timeout: 5 } });
	});
}

test("taking an entry out of nothing leaves nothing changed", () => {
	assert.deepEqual(withoutEntry(find("codex"), "", "moorage"), { ok: true, value: "" });
	const json = withoutEntry(find("cursor"), "", "moorage");
	assert.ok(json.ok);
});
