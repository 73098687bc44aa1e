import type { StartProblem } from "../daemon/start-problem.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/** The failure of a command whose gateway could not start. */
export function startFailure(problem: StartProblem): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.cannot_start,
		code: problem.config === undefined ? "cannot_start" : "config_refused",
		message: problem.message,
		next: problem.next === "" ? undefined : problem.next,
		config: problem.config,
	});
}
