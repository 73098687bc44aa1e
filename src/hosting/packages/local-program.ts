import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StdioSpec } from "../../config/plan.ts";
import type { PackageRequest } from "./request.ts";
import { programStart } from "./script.ts";

/** Launchers that run what a project has installed already, before they look elsewhere. */
const launchers: readonly string[] = ["npx", "npm exec", "bunx"];

/**
 * The program of that name in the `node_modules` of the server's folder or of one above it, run
 * directly. Undefined when there is none, or when the command names a version or a scope.
 */
export async function localProgram(
	request: PackageRequest,
	spec: StdioSpec,
	node_path: string,
): Promise<StdioSpec | undefined> {
	const name = request.packages[0] ?? "";
	if (
		!launchers.includes(request.launcher) ||
		request.program !== undefined ||
		/[@/]/u.test(name)
	) {
		return undefined;
	}
	for (let folder = spec.cwd; ; folder = dirname(folder)) {
		const file = await realpath(join(folder, "node_modules", ".bin", name)).catch(() => undefined);
		if (file !== undefined) {
			const start = await programStart(file);
			return start.kind === "node"
				? { ...spec, command: node_path, args: [...start.node_args, file, ...request.args] }
				: { ...spec, command: file, args: [...request.args] };
		}
		if (folder === dirname(folder)) {
			return undefined;
		}
	}
}
