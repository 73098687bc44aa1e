import type { BackupProblem } from "../backup/problem.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { StartProblem } from "../daemon/start-problem.ts";
import { exit_codes } from "./exit-codes.ts";

/** What a failed command tells. */
export interface FailureParts {
	readonly exit_code: number;
	/** Stable, for programs. */
	readonly code: string;
	/** A sentence: what happened. */
	readonly message: string;
	/** A sentence: what to do next. */
	readonly next?: string | undefined;
	/** Mistakes in a configuration, one by one. */
	readonly config?: readonly ConfigProblem[] | undefined;
}

/**
 * Ends a command from wherever it is. There is one place that catches it, prints it and turns it
 * into the exit code, so every command fails in the same way.
 */
export class CommandFailure extends Error {
	readonly parts: FailureParts;

	constructor(parts: FailureParts) {
		super(parts.message);
		this.name = "CommandFailure";
		this.parts = parts;
	}
}

/** The command line was wrong in a way only the command itself can see. */
export function usageFailure(message: string, next: string): CommandFailure {
	return new CommandFailure({ exit_code: exit_codes.usage, code: "usage", message, next });
}

/** A backup that could not be made or put back. */
export function backupFailure({ code, message }: BackupProblem): CommandFailure {
	return new CommandFailure({ exit_code: exit_codes.failed, code, message });
}

/** What a data folder keeps could not be opened. */
export function storeFailure({ message, next }: StartProblem): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.failed,
		code: "store_unusable",
		message,
		next: next === "" ? undefined : next,
	});
}
