import { existsSync, renameSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { installBeside, readManifest } from "../../bin/launcher/npm-ci.mjs";
import { repository_root } from "../lib/paths.ts";

/** Where the Inspector's command line is, or why it cannot be used. */
export interface InspectorPlace {
	/** The program's script, to be run with Node; undefined when it is missing. */
	readonly script: string | undefined;
	readonly missing: string | undefined;
}

const launcher = join(
	"node_modules",
	"@modelcontextprotocol",
	"inspector",
	"clients",
	"launcher",
	"build",
	"index.js",
);

/**
 * Provides the MCP Inspector for the tests that drive its command line: installed once, from a
 * lock file of its own, because its hundred packages are no business of the project's.
 */
export async function provideInspector(options: {
	tools_folder: string;
	environment: NodeJS.ProcessEnv;
	say: (line: string) => void;
}): Promise<InspectorPlace> {
	const { tools_folder, environment, say } = options;
	const place = join(tools_folder, "inspector-2.12.0");
	const script = join(place, launcher);
	if (existsSync(script)) return { script, missing: undefined };
	const from = join(repository_root, "tools", "inspector");
	say(`installing the MCP Inspector into ${relative(process.cwd(), place)}`);
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
