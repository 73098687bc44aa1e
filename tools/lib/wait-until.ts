import { setTimeout as sleep } from "node:timers/promises";

/** Resolves once `holds` does. For what nothing announces; the test's own time is the limit. */
export async function waitUntil(holds: () => boolean): Promise<void> {
	while (!holds()) await sleep(20);
}
