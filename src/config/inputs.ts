import type { Environment } from "../lib/environment.ts";
import { type Draft, type InputDraft, referenceTexts, type ServerDraft } from "./draft.ts";
import { offsetWithin, type Placed } from "./located.ts";
import { referencedInputs } from "./references.ts";
import type { Report } from "./report.ts";

/** A question to the person at the terminal, for `${input:ID}`. */
export interface InputRequest {
	readonly id: string;
	/** The question as the file words it; the id where it has no words. */
	readonly description: string;
	/** The answer must not be shown while it is typed. */
	readonly password: boolean;
	readonly default_value: string | undefined;
	/** The possible answers; empty when any text will do. */
	readonly options: readonly string[];
}

/** Asks a person; rejects when the question is left unanswered. */
export type AskInput = (request: InputRequest) => Promise<string>;

/** The environment variable that answers an input where nobody can be asked. */
export function inputVariable(id: string): string {
	return `MOORAGE_INPUT_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/**
 * Answers every input that a server of the draft refers to, each once: from its environment
 * variable, else by asking. What cannot be answered goes to the report.
 */
export async function answerInputs(
	draft: Draft,
	environment: Environment,
	ask: AskInput | undefined,
	report: Report,
): Promise<ReadonlyMap<string, string>> {
	const answers = new Map<string, string>();
	if (draft.form !== "client") return answers;
	for (const [id, places] of usedInputs(draft.servers)) {
		const declared = draft.inputs.find((input) => input.id === id);
		const answer = await answerOne(id, declared, environment, ask);
		if (typeof answer === "string") {
			answers.set(id, answer);
			continue;
		}
		for (const offset of places) report.problem(offset, answer.message, answer.next);
		// The place is reported already; an empty answer keeps it from being reported again.
		answers.set(id, "");
	}
	return answers;
}

/** The inputs referred to, with the offsets of the references, in the order of the file. */
function usedInputs(servers: readonly ServerDraft[]): Map<string, number[]> {
	const used = new Map<string, number[]>();
	const add = (text: Placed) => {
		for (const id of referencedInputs(text.text)) {
			const index = text.text.indexOf(`\${input:${id}}`);
			used.set(id, [...(used.get(id) ?? []), offsetWithin(text, index)]);
		}
	};
	for (const server of servers) for (const text of referenceTexts(server)) add(text);
	return used;
}

async function answerOne(
	id: string,
	declared: InputDraft | undefined,
	environment: Environment,
	ask: AskInput | undefined,
): Promise<string | { message: string; next: string }> {
	const name = inputVariable(id);
	const given = environment[name];
	if (given !== undefined) return checkChoice(declared, given, name);
	if (declared === undefined) {
		return {
			message: `The input \`${id}\` is not declared under \`inputs\`.`,
			next: `Declare it there, or set the environment variable \`${name}\`.`,
		};
	}
	if (declared.kind === "unsupported") {
		return {
			message: `The input \`${id}\` is answered by a command of the editor.`,
			next: `Set the environment variable \`${name}\`.`,
		};
	}
	if (ask === undefined) {
		return {
			message: `The input \`${id}\` must be asked for, and there is no terminal to ask on.`,
			next: `Set the environment variable \`${name}\`, or start Moorage in a terminal.`,
		};
	}
	const { description, password, default_value, options } = declared;
	try {
		const answer = await ask({ id, description, password, default_value, options });
		return checkChoice(declared, answer, name);
	} catch {
		return {
			message: `The question for the input \`${id}\` was not answered.`,
			next: `Answer it, or set the environment variable \`${name}\`.`,
		};
	}
}

function checkChoice(
	declared: InputDraft | undefined,
	answer: string,
	name: string,
): string | { message: string; next: string } {
	if (declared?.kind !== "choice" || declared.options.includes(answer)) return answer;
	return {
		message: `The answer to the input \`${declared.id}\` is none of its options.`,
		next: `Choose one of them, or correct the environment variable \`${name}\`.`,
	};
}
