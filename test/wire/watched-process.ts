import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Complaint } from "./watch.ts";

/** How a gateway in a process of its own is watched. */
export interface WatchedProcess {
	/** Go before the program's path. */
	readonly node_args: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
	/** What it has complained about since it was last asked; the file is gone afterwards. */
	takeComplaints(): readonly Complaint[];
}

const preload = fileURLToPath(new URL("./preload.ts", import.meta.url));

/** Prepares the watching of one process that is about to be started. */
export function watchedProcess(): WatchedProcess {
	const folder = mkdtempSync(join(tmpdir(), "moorage-wire-"));
	const file = join(folder, "complaints");
	return {
		node_args: ["--import", preload],
		environment: { MOORAGE_WIRE_COMPLAINTS: file },
		takeComplaints() {
			const text = existsSync(file) ? readFileSync(file, "utf8") : "";
			rmSync(folder, { recursive: true, force: true });
			const lines = text.split("\n").filter((line) => line !== "");
			return lines.map((line) => JSON.parse(line) as Complaint);
		},
	};
}
