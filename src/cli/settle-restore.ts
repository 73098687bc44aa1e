import { describeRecovery, recoverRestore } from "../backup/replace-contents.ts";
import type { CommandContext } from "./context.ts";
import { backupFailure } from "./failure.ts";

/**
 * Settles a restore of a data folder that was interrupted, and says so, for a command that holds
 * the folder and opens what is in it. Throws a `CommandFailure` where that cannot be done.
 */
export async function settleRestore(data: string, { output }: CommandContext): Promise<void> {
	const recovered = await recoverRestore(data);
	if (!recovered.ok) throw backupFailure(recovered.problem);
	const told = describeRecovery(data, recovered.value);
	if (told !== undefined) output.note(told);
}
