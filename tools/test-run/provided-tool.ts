import { existsSync, renameSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { installBeside, readManifest } from "../../bin/launcher/npm-ci.mjs";
import { repository_root } from "../lib/paths.ts";

/** Where a program that tests drive is, or why it cannot be used. */
export interface ProvidedTool {
	/** The program's script, to be run with Node; undefined when it is missing. */
	readonly script: string | undefined;
	readonly missing: string | undefined;
}

/** A program of others that tests drive. */
export interface ToolSpec {
	/** Its folder below `tools/`, which has its lock file. */
	readonly name: string;
	readonly version: string;
	/** Its script, below the folder it is installed in. */
	readonly script: string;
}

/** The MCP Inspector's command line. */
export const inspector: ToolSpec = {
	name: "inspector",
	version: "2.12.0",
	script: "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js",
};

/** mcp-remote, by which programs that speak stdio only reach servers that want a login. */
export const mcp_remote: ToolSpec = {
	name: "mcp-remote",
	version: "0.15.1",
	script: "node_modules/mcp-remote/dist/proxy.js",
};

/**
 * Provides a program for the tests that drive it: installed once, from a lock file of its own,
 * because its hundred packages are no business of the project's.
 */
export async function provideTool(
	tool: ToolSpec,
	options: {
		tools_folder: string;
		environment: NodeJS.ProcessEnv;
		say: (line: string) => void;
	},
): Promise<ProvidedTool> {
	const { tools_folder, environment, say } = options;
	const place = join(tools_folder, `${tool.name}-${tool.version}`);
	const script = join(place, tool.script);
	if (existsSync(script)) return { script, missing: undefined };
	const from = join(repository_root, "tools", tool.name);
	say(`installing ${tool.name} into ${relative(process.cwd(), place)}`);
	try {
		const node = process.execPath;
		const files = readManifest(from);
		const partial = await installBeside({ files, beside: tools_folder, node, environment });
		if (!existsSync(place)) renameSync(partial, place);
		rmSync(partial, { recursive: true, force: true });
		return { script, missing: undefined };
	} catch (error) {
		const message = error instanceof Error ? error.message : String(error);
		return { script: undefined, missing: message };
	}
}
