import type * as z from "zod";
import { default_limits } from "./defaults.ts";
import type { Draft, InputDraft, ServerDraft } from "./draft.ts";
import { reportIssues } from "./issues.ts";
import { type Located, type LocatedEntry, member } from "./located.ts";
import { readInputs } from "./mcp-json-inputs.ts";
import { type ClientServerDraft, readClientServer, warnIgnored } from "./mcp-json-server.ts";
import { default_policy, default_server_policy, type PolicyPlan } from "./policy-plan.ts";
import type { Report } from "./report.ts";
import { checkServerName, safeServerName } from "./server-names.ts";

/**
 * Client files: the `mcpServers` form of Claude, Cursor, Windsurf and others, and the
 * `servers` form of VS Code. They are taken as they are: what only their own client needs is
 * left alone, and what Moorage does not know is mentioned, not refused.
 */

/** Reads a client file; undefined when its shape is wrong, with the report saying how. */
export function readClientForm(root: Located, report: Report): Draft | undefined {
	const maps = serverMaps(root);
	if (maps.length === 0) {
		reportNoServers(root, report);
		return undefined;
	}
	const servers: ClientServerDraft[] = [];
	for (const { entry, path } of maps) {
		if (entry.value.kind !== "map") {
			reportIssues(report, root, typeIssue(path), () => []);
			continue;
		}
		for (const one of entry.value.entries) {
			const draft = readClientServer(root, one, [...path, one.key], report);
			if (draft !== undefined) servers.push(draft);
		}
	}
	warnIgnored(root, ["mcpServers", "servers", "inputs", "mcp", "$schema"], report);
	const settings = member(root, "mcp")?.value;
	const inputs: InputDraft[] = [root, settings].flatMap((node) => readInputs(node, report));
	const named = nameServers(
		servers.map(({ draft }) => draft),
		report,
	);
	if (report.failed) return undefined;
	return {
		form: "client",
		servers: named,
		endpoints: [],
		listen: undefined,
		data: undefined,
		allowed_hosts: undefined,
		allowed_origins: undefined,
		sse: true,
		identity: undefined,
		limits: default_limits,
		policy: policyOf(servers, named),
		inputs,
	};
}

/** What is said of tools, under the names that their servers have here. */
function policyOf(
	servers: readonly ClientServerDraft[],
	named: readonly ServerDraft[],
): PolicyPlan {
	const said = servers.flatMap(({ tools }, at) => {
		const name = named[at]?.name;
		if (tools.length === 0 || name === undefined) return [];
		return [[name, { ...default_server_policy, tools }] as const];
	});
	return said.length === 0
		? default_policy
		: { ...default_policy, servers: Object.fromEntries(said) };
}

interface ServerMap {
	readonly entry: LocatedEntry;
	readonly path: readonly string[];
}

/** Every place a client keeps its servers in. */
function serverMaps(root: Located): ServerMap[] {
	const places = [["mcpServers"], ["servers"], ["mcp", "servers"]];
	return places.flatMap((path) => {
		const parent = path.length === 1 ? root : member(root, path[0] ?? "")?.value;
		const entry = member(parent, path.at(-1) ?? "");
		return entry === undefined ? [] : [{ entry, path }];
	});
}

function typeIssue(path: readonly string[]): z.core.$ZodIssue[] {
	return [{ code: "invalid_type", expected: "object", path: [...path], message: "" }];
}

function reportNoServers(root: Located, report: Report): void {
	if (root.kind !== "map") {
		report.problem(
			root.start,
			"The file is not a map with `mcpServers` in it.",
			'Write `{ "mcpServers": { "NAME": { "command": "…" } } }`.',
		);
		return;
	}
	const bare = root.entries.some(
		({ value }) => member(value, "command") !== undefined || member(value, "url") !== undefined,
	);
	report.problem(
		root.start,
		"The file has no `mcpServers` (or, as in VS Code, `servers`).",
		bare
			? 'Wrap what is there: `{ "mcpServers": { … } }`.'
			: 'Add `"mcpServers": { "NAME": { "command": "…" } }`, or give another file.',
	);
}

/** Gives every server an address-safe name, keeping the written one as its title. */
function nameServers(servers: readonly ServerDraft[], report: Report): ServerDraft[] {
	const owners = new Map<string, ServerDraft>();
	return servers.map((server) => {
		const name = addressName(server, report);
		if (name === undefined) return server;
		const owner = owners.get(name);
		if (owner === undefined) owners.set(name, server);
		else {
			report.problem(
				server.name_start,
				`\`${server.title}\` and \`${owner.title}\` both get the address \`/${name}/mcp\`.`,
				"Rename one of them.",
			);
		}
		return { ...server, name };
	});
}

/** The server's name made safe; undefined, and reported, when it cannot be. */
function addressName(server: ServerDraft, report: Report): string | undefined {
	const name = server.title;
	const wrong = checkServerName(name);
	if (wrong === undefined) return name;
	// A separator or a reserved word is never repaired: a changed meaning must be seen.
	const safe = safeServerName(name);
	const problem = wrong.kind === "form" ? checkServerName(safe) : wrong;
	if (problem !== undefined) {
		report.problem(server.name_start, problem.message, problem.next);
		return undefined;
	}
	report.warn(
		server.name_start,
		`\`${name}\` cannot be part of an address, so the server is hosted as \`${safe}\`.`,
	);
	return safe;
}
