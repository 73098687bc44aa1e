/**
 * The watcher: a small program that outlives the gateway by a moment. The gateway holds the
 * other end of its standard input and never writes to it; when the gateway ends, in whatever
 * way, the operating system closes that end, and the watcher ends everything the gateway had
 * started. Used where no pid namespace does the same in the kernel.
 *
 * Usage: node watcher.ts <ledger path> <owner id>
 */
import { rmSync } from "node:fs";
import { systemClock } from "../../lib/clock.ts";
import { killProcesses, ownerPrefix } from "./cleanup.ts";
import { sweepGroups } from "./groups/sweep-groups.ts";
import { readLedger } from "./ledger.ts";
import { systemProcessTable } from "./process-table.ts";

async function main(ledger_path: string, owner_id: string): Promise<void> {
	// Whoever stops the gateway's service may signal all of its processes at once, but the
	// watcher's work begins only when the gateway is gone.
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
		process.on(signal, () => {});
	}
	await new Promise<void>((resolve) => {
		process.stdin.on("error", () => resolve());
		process.stdin.on("close", () => resolve());
		process.stdin.on("end", () => resolve());
		process.stdin.resume();
	});
	const ledger = await readLedger(ledger_path);
	// The groups first: what is frozen in one cannot die before it is thawed.
	await sweepGroups(systemClock, owner_id, ledger?.group_folders ?? []);
	await killProcesses(systemClock, systemProcessTable(systemClock), {
		entries: ledger?.entries ?? [],
		marker_prefix: ownerPrefix(owner_id),
	});
	rmSync(ledger_path, { force: true });
	process.exit(0);
}

const [ledger_path, owner_id] = process.argv.slice(2);
if (ledger_path === undefined || owner_id === undefined) {
	process.exit(2);
}
await main(ledger_path, owner_id);
