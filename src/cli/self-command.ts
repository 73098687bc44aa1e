import { sep } from "node:path";

/**
 * How this program can be started again by somebody else, such as a client's configuration: the
 * Node that runs it and its own script. A copy that npx has fetched may be gone tomorrow, so
 * there npx itself is named.
 */
export function selfCommand(node: string, script: string): readonly [string, ...string[]] {
	return script.includes(`${sep}_npx${sep}`) ? ["npx", "-y", "moorage"] : [node, script];
}

/**
 * How a user types this program's name in a folder: the script's path in a checkout of it, else
 * the name that is on the PATH.
 */
export function typedCommand(self: readonly string[], cwd: string): string {
	const [program, script = ""] = self;
	if (program === "npx") return "npx moorage";
	const inside = script.startsWith(cwd + sep) && !script.includes(`${sep}node_modules${sep}`);
	return inside ? script.slice(cwd.length + 1) : "moorage";
}
