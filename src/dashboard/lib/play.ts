import { send } from "./api.ts";
import { now } from "./clock.ts";

/** One message of a call, as it was on one of its two ways. */
export interface PlayMessage {
	readonly side: "client" | "server";
	readonly from: "client" | "gateway" | "server";
	readonly at_ms: number;
	readonly text: string;
	readonly cut: boolean;
}

/** A question that waits for an answer by hand. */
export interface PlayQuestion {
	readonly id: string;
	readonly text: string;
}

/** How a call ended. */
export interface PlayResult {
	readonly outcome: string;
	readonly duration_ms: number;
	readonly reply: string;
	readonly too_long: boolean;
}

/** What is known of a call so far. */
export interface PlayState {
	readonly id: string | undefined;
	readonly running: boolean;
	readonly began_ms: number;
	readonly messages: readonly PlayMessage[];
	readonly questions: readonly PlayQuestion[];
	readonly result: PlayResult | undefined;
}

/** A call before anything of it is known. */
export function freshPlay(): PlayState {
	return {
		id: undefined,
		running: true,
		began_ms: now(),
		messages: [],
		questions: [],
		result: undefined,
	};
}

const messages_max = 500;

/** Makes a call and gives what is known of it, again and again, until it is over. */
export async function play(
	body: object,
	signal: AbortSignal,
	onState: (state: PlayState) => void,
): Promise<void> {
	let state = freshPlay();
	onState(state);
	const response = await send("play", { body, signal });
	for await (const { type, data } of eventsOf(response)) {
		state = after(state, type, data);
		onState(state);
	}
	onState({ ...state, running: false, questions: [] });
}

function after(state: PlayState, type: string, data: unknown): PlayState {
	switch (type) {
		case "started":
			return { ...state, id: (data as { id: string }).id };
		case "message":
			return { ...state, messages: [...state.messages, data as PlayMessage].slice(-messages_max) };
		case "question":
			return { ...state, questions: [...state.questions, data as PlayQuestion] };
		case "withdrawn":
			return withoutQuestion(state, (data as { id: string }).id);
		case "result":
			return { ...state, result: data as PlayResult };
		default:
			return state;
	}
}

/** A call one of whose questions is not open any more. */
export function withoutQuestion(state: PlayState, id: string): PlayState {
	return { ...state, questions: state.questions.filter((one) => one.id !== id) };
}

/** The events of a stream that answers a POST, which an EventSource cannot make. */
async function* eventsOf(response: Response): AsyncGenerator<{ type: string; data: unknown }> {
	const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";
	for (;;) {
		const read = await reader?.read();
		if (read === undefined || read.done) return;
		rest += read.value;
		const blocks = rest.split("\n\n");
		rest = blocks.pop() ?? "";
		for (const block of blocks) {
			const event = /^event: (.*)$/m.exec(block)?.[1];
			const data = /^data: (.*)$/m.exec(block)?.[1];
			if (event !== undefined && data !== undefined) {
				yield { type: event, data: JSON.parse(data) as unknown };
			}
		}
	}
}

/** How far a call says it is. */
export function progressOf(
	state: PlayState,
): { value: number; of: number; text: string } | undefined {
	for (const { side, text } of state.messages.toReversed()) {
		if (side !== "client" || !text.includes("notifications/progress")) continue;
		const { params } = JSON.parse(text) as { params?: Record<string, unknown> };
		const { progress, total, message } = params ?? {};
		if (typeof progress !== "number") continue;
		return {
			value: progress,
			of: typeof total === "number" ? total : 0,
			text: typeof message === "string" ? message : "",
		};
	}
	return undefined;
}
