/** Why a backup could not be made, or not be put back. */
export interface BackupProblem {
	readonly code:
		| "backup_unreadable" // it is no backup, or may not be read
		| "backup_newer" // a newer version made it
		| "backup_damaged" // something in it is not as it was written
		| "folder_not_empty" // there is something where it is to go
		| "folder_in_use" // a gateway runs there
		| "restore_unsettled" // a restore was interrupted, and how far it was cannot be told
		| "backup_failed"; // the system refused something
	/** A sentence: what happened. */
	readonly message: string;
	/** For the log only. */
	readonly detail: string;
}

/** A refusal of the system, as a problem. */
export function systemProblem(what: string, error: unknown): BackupProblem {
	const { code, message } = error as NodeJS.ErrnoException;
	const why = code === "ENOSPC" ? "no space is left" : (code ?? message);
	return { code: "backup_failed", message: `${what} (${why}).`, detail: String(error) };
}
