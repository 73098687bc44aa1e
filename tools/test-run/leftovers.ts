import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that a test file started and did not end. */
export interface LeftProcess {
	readonly pid: number;
	readonly test_file: string;
	readonly command: string;
}

/** A process that is ending gets this long before it counts as left behind. */
const grace_ms = 3000;

/**
 * Finds and kills the processes that carry `marker` (NAME=value) in their environment, after
 * giving them a moment to end. Works where /proc is; elsewhere it finds none.
 */
export async function sweepProcesses(marker: string): Promise<LeftProcess[]> {
	let left = findProcesses(marker);
	for (let waited_ms = 0; left.length > 0 && waited_ms < grace_ms; waited_ms += 100) {
		await sleep(100);
		left = findProcesses(marker);
	}
	for (const { pid } of left) {
		try {
			process.kill(pid, "SIGKILL");
		} catch {
			// It ended between the look and the signal.
		}
	}
	return left;
}

function findProcesses(marker: string): LeftProcess[] {
	const found: LeftProcess[] = [];
	for (const name of listProcesses()) {
		const pid = Number(name);
		if (!Number.isInteger(pid) || pid === process.pid) continue;
		const variables = readParts(`/proc/${pid}/environ`);
		if (!variables.includes(marker)) continue;
		const file = variables.find((variable) => variable.startsWith("MOORAGE_TEST_FILE="));
		const test_file = file?.slice(file.indexOf("=") + 1) ?? "an unknown test file";
		found.push({ pid, test_file, command: readParts(`/proc/${pid}/cmdline`).join(" ") });
	}
	return found;
}

function listProcesses(): string[] {
	try {
		return readdirSync("/proc");
	} catch {
		return [];
	}
}

/** The parts of a file in /proc that ends each with a zero byte. A zombie's are empty. */
function readParts(path: string): string[] {
	try {
		return readFileSync(path, "utf8").split("\0").slice(0, -1);
	} catch {
		return [];
	}
}
