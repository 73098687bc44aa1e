import type { Deployed } from "../admin/contract.ts";
import { exit_codes } from "./exit-codes.ts";
import { type Output, printable } from "./output.ts";

/** Prints what came of a new version; returns the exit code. */
export function printDeployed(deployed: Deployed, output: Output): number {
	const { server, version, state, changes, warnings } = deployed;
	for (const line of changes) output.line(printable(line));
	for (const warning of warnings) output.note(`warning: ${printable(warning)}`);
	const what = `${server}: version ${version}`;
	switch (state) {
		case "held":
			output.line(`${what} is ready and takes no calls yet.`);
			output.note(`Let it take over: moorage promote ${server}`);
			output.note(`Give it up: moorage rollback ${server}`);
			break;
		case "sharing":
			output.line(`${what} has a share of the calls and is watched.`);
			output.note(`Let it take all of them now: moorage promote ${server}`);
			output.note(`Give it up: moorage rollback ${server}`);
			break;
		case "planned":
			if (changes.length === 0) output.line("It offers what the one that runs offers.");
			output.line(`${what} would start; it was ended again, and nothing was changed.`);
			break;
		default:
			output.line(`${what} takes the calls.`);
	}
	return exit_codes.ok;
}
