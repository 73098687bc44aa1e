import { publicFault } from "../../protocol/fault.ts";
import type { AbsentServer } from "./known-catalog.ts";

/**
 * The note a list carries about servers it had to do without: a raw JSON array, or undefined
 * when all are there. A list is never silently shorter.
 */
export function absentNotes(absent: readonly AbsentServer[]): string | undefined {
	if (absent.length === 0) return undefined;
	return JSON.stringify(
		absent.map(({ server, fault }) => ({
			server,
			message: fault.message,
			...publicFault(fault),
		})),
	);
}
