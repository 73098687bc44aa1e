import { askOne } from "../ask-input.ts";
import type { CommandContext } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { readAll } from "../read-all.ts";

/** A value has at most 64 KiB; what is longer is refused by the vault with the reason. */
const input_bytes_max = 1024 * 1024;

/**
 * A value from a question whose answer is not shown, or from standard input, whose last newline is
 * not part of it. Never from an argument: those stand in the list of processes and in histories.
 */
export async function readValue(question: string, context: CommandContext): Promise<string> {
	const { stdin, stderr } = context;
	const is_terminal = stdin.isTTY === true && (stderr as { isTTY?: boolean }).isTTY === true;
	if (!is_terminal) {
		const text = await readAll(stdin, input_bytes_max);
		if (text !== "") return text.replace(/\r?\n$/, "");
		throw usageFailure("There is no value on standard input.", "Pipe it in: `… < FILE`.");
	}
	const request = { id: "", description: question, password: true, default_value: undefined };
	return askOne({ ...request, options: [] }, context).catch(() => {
		throw usageFailure("The question was not answered.", "Type the value, then Enter.");
	});
}
