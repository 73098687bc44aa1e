import type { ServerOverview } from "../admin/contract.ts";
import { type Look, type Output, printable } from "./output.ts";

/** Whether a server answers: it runs, or sleeps and is woken by the first call. */
export function isUsable({ state, reason, ...offers }: ServerOverview): boolean {
	if (state === "ready" || state === "frozen") return true;
	const known = offers.tools + offers.resources + offers.prompts > 0;
	return state === "stopped" && reason === undefined && known;
}

/**
 * The word for a server's state. A server whose program is not on this machine has not failed
 * by itself: it is skipped until the program is there. One that is between two tries is neither
 * stopped nor starting for its user, and one that waits for people has not been tried at all.
 */
export function stateWord(server: Pick<ServerOverview, "state" | "code" | "reason">): string {
	const { state, code, reason } = server;
	if (state === "failed") return code === "command_missing" ? "skipped" : state;
	if (reason === undefined || state === "ready") return state;
	return code === "authorization_required" ? "waiting" : "retrying";
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
	const troubled = servers.filter(({ reason }) => reason !== undefined);
	if (troubled.length > 0) output.line();
	for (const server of troubled) {
		const word = stateWord(server);
		output.line(`${output.look(lookOf(word), server.name)}: ${printable(server.reason ?? "")}`);
	}
}

/** Prints what sandboxes were given, or why there are none: each thing once, with its servers. */
export function printSandboxNotes(servers: readonly ServerOverview[], output: Output): void {
	const named = new Map<string, string[]>();
	for (const { name, sandbox_notes } of servers) {
		for (const note of sandbox_notes ?? []) named.set(note, [...(named.get(note) ?? []), name]);
	}
	if (named.size > 0) output.line();
	for (const [note, names] of named) output.line(`${names.join(", ")}: ${printable(note)}`);
}

function lookOf(word: string): Look {
	if (word === "ready" || word === "frozen") return "green";
	if (word === "failed") return "red";
	return word === "skipped" || word === "retrying" ? "yellow" : "dim";
}
