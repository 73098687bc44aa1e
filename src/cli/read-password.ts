import { password_chars_min } from "../identity/passwords.ts";
import { inputAsker } from "./ask-input.ts";
import type { CommandContext } from "./context.ts";
import { usageFailure } from "./failure.ts";
import { readAll } from "./read-all.ts";

const input_bytes_max = 8 * 1024;

/**
 * A new password: asked for twice at a terminal, else the first line of standard input. Never an
 * argument: other users of the machine can see those.
 */
export async function readPassword(context: CommandContext, who: string): Promise<string> {
	const ask = inputAsker(context);
	if (ask === undefined) {
		const [line = ""] = (await readAll(context.stdin, input_bytes_max)).split(/\r?\n/, 1);
		if (line !== "") return line;
		throw usageFailure(
			"There is no password on standard input.",
			"Run the command at a terminal, or send the password as one line.",
		);
	}
	const question = { password: true, default_value: undefined, options: [] };
	const description = `Password for ${who} (at least ${password_chars_min} characters)`;
	const first = await ask({ id: "password", description, ...question });
	const again = await ask({ id: "password-again", description: "The same again", ...question });
	if (first === again) return first;
	throw usageFailure("The two passwords are not the same.", "Try again.");
}
