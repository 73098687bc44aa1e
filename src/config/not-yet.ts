/**
 * Keys that belong to Moorage's plan but not to this version. They are refused by name, so
 * that nobody believes a protection is on that does not exist.
 */

/** Where in moorage.yaml a key stands. */
export type Level = "file" | "identity" | "server" | "tools" | "other";

const not_yet: Readonly<Record<Level, Readonly<Record<string, string>>>> = {
	file: {
		database: "Remove the key; state is kept in the `data` folder.",
		tenants: "Run one Moorage for each tenant.",
	},
	server: {
		container: "Write the image's name as `image`.",
		egress: "Write it under `sandbox`.",
		volume: "Remove the key: every server has a volume of its own, at `MOORAGE_VOLUME`.",
		openapi: "Run an MCP server that reads the OpenAPI file, with `command`.",
		compose: "List several servers under `endpoints`.",
		agent: "Remove the key.",
		approvals: "Use `tools` with `deny` to leave risky tools out.",
		policy: "Write rules under `policy` of the file, with `server` or `tool`.",
	},
	identity: {
		oidc: "Name the provider under `identity.issuers`.",
	},
	tools: {},
	other: {},
};

/** What to do instead of a key this version does not have; undefined for any other key. */
export function notYet(level: Level, key: string): string | undefined {
	const table = not_yet[level];
	return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The level a path of moorage.yaml leads to. */
export function levelOf(path: readonly PropertyKey[]): Level {
	if (path.length === 0) return "file";
	if (path[0] === "identity" && path.length === 1) return "identity";
	if (path[0] === "servers" && path.length === 2) return "server";
	return path.at(-1) === "tools" ? "tools" : "other";
}
