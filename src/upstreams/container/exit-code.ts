import { constants } from "node:os";

const signal_names = new Map(
	Object.entries(constants.signals).map(([name, number]) => [number, name]),
);
/** How shells, engines and init programs report that a signal ended something. */
const signal_offset = 128;

/** What a container's exit code says of its first process. */
export function exitOf(exit_code: number): { code: number | null; signal: string | null } {
	const signal = signal_names.get(exit_code - signal_offset);
	return signal === undefined ? { code: exit_code, signal: null } : { code: null, signal };
}
