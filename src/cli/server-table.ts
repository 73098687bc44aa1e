import type { ServerOverview } from "../admin/contract.ts";
import { type Look, type Output, printable } from "./output.ts";

/**
 * The word for a server's state. A server whose program is not on this machine has not failed
 * by itself: it is skipped until the program is there.
 */
export function stateWord(server: Pick<ServerOverview, "state" | "code">): string {
	return server.state === "failed" && server.code === "command_missing" ? "skipped" : server.state;
}

/** Prints servers as a table, and below it why some of them are of no use. */
export function printServers(servers: readonly ServerOverview[], output: Output): void {
	if (servers.length === 0) {
		output.line("No servers yet. Add one: moorage add NAME -- COMMAND ARGS");
		return;
	}
	output.table(
		["SERVER", "STATE", "TOOLS", "ADDRESS"],
		servers.map((server) => {
			const word = stateWord(server);
			return [server.name, output.look(lookOf(word), word), String(server.tools), server.url];
		}),
	);
	for (const server of servers) {
		if (server.reason === undefined) continue;
		const word = stateWord(server);
		output.line(`${output.look(lookOf(word), server.name)}: ${printable(server.reason)}`);
	}
}

function lookOf(word: string): Look {
	if (word === "ready" || word === "frozen") return "green";
	if (word === "failed") return "red";
	return word === "skipped" ? "yellow" : "dim";
}
