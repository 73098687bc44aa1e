import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Whether running processes can be found by a mark in their environment on this machine. */
export const sees_environments = process.platform === "linux";

/**
 * Command lines of all running processes whose environment holds an entry that starts with
 * `prefix` (`NAME=value`). Dead ones that wait for their parent do not count.
 */
export function markedProcesses(prefix: string): string[] {
	const needle = Buffer.from(`\0${prefix}`);
	return readdirSync("/proc")
		.filter((name) => /^\d+$/u.test(name))
		.flatMap((pid) => {
			try {
				const environ = Buffer.concat([Buffer.from([0]), readFileSync(`/proc/${pid}/environ`)]);
				if (!environ.includes(needle)) {
					return [];
				}
				const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
				return [`${pid} ${command}`];
			} catch {
				return [];
			}
		});
}

/**
 * Waits until `read` gives a value that `done` accepts and returns it. For things that nobody
 * announces, such as the end of somebody else's process; fails loudly after ten seconds.
 */
export async function eventually<Value>(
	read: () => Value | Promise<Value>,
	done: (value: Value) => boolean,
): Promise<Value> {
	for (let round = 0; ; round += 1) {
		const value = await read();
		if (done(value)) {
			return value;
		}
		if (round === 1_000) {
			throw new Error(`still ${JSON.stringify(value)} after many looks`);
		}
		await pause(10);
	}
}
