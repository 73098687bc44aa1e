import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { AskInput, InputRequest } from "../config/inputs.ts";
import type { CommandContext } from "./context.ts";

/**
 * Asks the person at the terminal for `${input:ID}`, each id once for as long as the program
 * runs. Undefined where there is no terminal on both sides: nobody could answer.
 */
export function inputAsker(context: CommandContext): AskInput | undefined {
	const { stdin, stderr } = context;
	const is_terminal = stdin.isTTY === true && (stderr as { isTTY?: boolean }).isTTY === true;
	if (!is_terminal) return undefined;
	const answers = new Map<string, Promise<string>>();
	let last: Promise<unknown> = Promise.resolve();
	return (request) => {
		const known = answers.get(request.id);
		if (known !== undefined) return known;
		// One question at a time.
		const answer = last.then(() => askOne(request, context));
		last = answer.catch(() => undefined);
		answers.set(request.id, answer);
		return answer;
	};
}

/** Asks one question at the terminal; rejects when it is left unanswered. */
export async function askOne(request: InputRequest, context: CommandContext): Promise<string> {
	const { stdin, stderr } = context;
	const choices = request.options.length === 0 ? "" : ` [${request.options.join(", ")}]`;
	const preset = request.default_value === undefined ? "" : ` (${request.default_value})`;
	const question = `${request.description}${choices}${preset}: `;
	let muted = false;
	const shown = new Writable({
		write(chunk: Buffer, _encoding, done) {
			if (!muted) stderr.write(chunk);
			done();
		},
	});
	const reader = createInterface({ input: stdin, output: shown, terminal: true });
	try {
		const answering = new Promise<string>((resolve, reject) => {
			reader.once("close", () => reject(new Error("the question was left unanswered")));
			reader.question(question).then(resolve, reject);
		});
		// What is typed from here on is not shown.
		muted = request.password;
		const answer = await answering;
		if (muted) stderr.write("\n");
		return answer === "" ? (request.default_value ?? "") : answer;
	} finally {
		reader.close();
	}
}
