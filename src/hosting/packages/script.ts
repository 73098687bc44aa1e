import { basename, extname } from "node:path";
import { readShebang } from "../process/find-program.ts";

/** How a package's program is started. */
export type ProgramStart =
	| { readonly kind: "node"; readonly node_args: readonly string[] }
	/** By itself: a binary, or a script for something else. */
	| { readonly kind: "itself" };

/**
 * Tells whether a file is a script for Node. Such a script is run by the gateway's own Node,
 * which saves the search along PATH and is a version that is known to be there.
 */
export async function programStart(file: string): Promise<ProgramStart> {
	const words = await readShebang(file);
	if (words === undefined) {
		const is_script = [".js", ".mjs", ".cjs"].includes(extname(file));
		return is_script ? { kind: "node", node_args: [] } : { kind: "itself" };
	}
	const by_env = basename(words[0] ?? "") === "env";
	const [interpreter = "", ...node_args] = by_env
		? words.slice(1).filter((word) => word !== "-S")
		: words;
	return basename(interpreter) === "node" ? { kind: "node", node_args } : { kind: "itself" };
}
