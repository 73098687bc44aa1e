import { join } from "node:path";
import type { Environment } from "../../lib/environment.ts";

/** What the places of files depend on. */
export interface Machine {
	readonly environment: Environment;
	readonly home: string;
	readonly platform: NodeJS.Platform;
}

/** How a client reaches Moorage: over HTTP, or by starting a program. */
export type Connection =
	| { readonly kind: "http"; readonly url: string }
	| { readonly kind: "stdio"; readonly command: string; readonly args: readonly string[] };

/** A client whose configuration Moorage can write. */
export interface ClientKind {
	/** As the user types it. */
	readonly id: string;
	readonly title: string;
	readonly connects: Connection["kind"];
	readonly format: "json" | "toml";
	/** The member of the file that holds the servers. */
	readonly section: string;
	/** Keys of an entry that say how to connect; others in it are the user's own. */
	readonly owned: readonly string[];
	/** What makes the client read its file again. */
	readonly reload: string;
	path(machine: Machine): string;
	entry(connection: Connection): Record<string, unknown>;
}

const json_owned = ["type", "url", "serverUrl", "command", "args", "env", "envFile", "cwd"];

/** Every client that `moorage connect` knows. */
export const client_kinds: readonly ClientKind[] = [
	{
		id: "claude-desktop",
		title: "Claude Desktop",
		connects: "stdio",
		format: "json",
		section: "mcpServers",
		owned: json_owned,
		reload: "Quit Claude Desktop and open it again.",
		path: (machine) => join(appData(machine), "Claude", "claude_desktop_config.json"),
		entry: plainEntry,
	},
	{
		id: "claude-code",
		title: "Claude Code",
		connects: "http",
		format: "json",
		section: "mcpServers",
		owned: json_owned,
		reload: "Start a new session of Claude Code.",
		path: ({ environment, home }) => join(environment["CLAUDE_CONFIG_DIR"] || home, ".claude.json"),
		entry: typedEntry,
	},
	{
		id: "cursor",
		title: "Cursor",
		connects: "http",
		format: "json",
		section: "mcpServers",
		owned: json_owned,
		reload: "Cursor notices by itself; see Settings, MCP.",
		path: ({ home }) => join(home, ".cursor", "mcp.json"),
		entry: plainEntry,
	},
	{
		id: "vscode",
		title: "VS Code",
		connects: "http",
		format: "json",
		section: "servers",
		owned: json_owned,
		reload: "VS Code notices by itself; start the server with `MCP: List Servers`.",
		path: (machine) => join(appData(machine), "Code", "User", "mcp.json"),
		entry: typedEntry,
	},
	{
		id: "codex",
		title: "Codex",
		connects: "http",
		format: "toml",
		section: "mcp_servers",
		owned: ["url", "command", "args", "env", "env_vars", "cwd"],
		reload: "Start a new session of Codex.",
		path: ({ environment, home }) =>
			join(environment["CODEX_HOME"] || join(home, ".codex"), "config.toml"),
		entry: plainEntry,
	},
];

/** The folder in which programs of this platform keep a user's settings. */
function appData({ environment, home, platform }: Machine): string {
	if (platform === "darwin") return join(home, "Library", "Application Support");
	if (platform === "win32") return environment["APPDATA"] || join(home, "AppData", "Roaming");
	return environment["XDG_CONFIG_HOME"] || join(home, ".config");
}

function plainEntry(connection: Connection): Record<string, unknown> {
	if (connection.kind === "http") return { url: connection.url };
	return { command: connection.command, args: [...connection.args] };
}

/** For clients that want the kind of connection spelled out. */
function typedEntry(connection: Connection): Record<string, unknown> {
	return { type: connection.kind, ...plainEntry(connection) };
}
