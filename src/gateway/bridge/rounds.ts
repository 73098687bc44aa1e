import { assert } from "../../lib/assert.ts";
import { sleep } from "../../lib/clock.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { AskOutcome } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Edit, Message, Span } from "../../wire/message.ts";
import { indexObject, memberSpan, rawText, readName, readString } from "../../wire/object.ts";
import { applyEdits, objectEdits } from "../../wire/splice.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";

/**
 * A modern server's `input_required` for a legacy client: its questions become real requests
 * to the client, and the call is sent again with the answers, until it is complete (SEP-2322).
 */

/** Rounds one call may take, and the pause before a round that asks nothing. */
export const rounds_max = 8;
const pause_ms = 250;
/** Questions of one round; a person would not answer as many. */
const questions_max = 32;

/** Sends the call with these changes; the last step of a round. */
export type SendAgain = (message: Message, edits: readonly Edit[]) => Promise<Reply>;

/** True when a server's reply asks for input instead of answering. */
export function needsInput(reply: Reply): boolean {
	if (reply.kind !== "message") return false;
	const { bytes, result } = reply.message;
	return readName(bytes, memberSpan(result, "resultType")) === "input_required";
}

/** Plays the rounds of a call to its final reply. */
export async function playRounds(
	call: Call,
	first: Reply,
	context: GatewayContext,
	sendAgain: SendAgain,
): Promise<Reply> {
	const base = rebase(call);
	let reply = first;
	for (let round = 1; needsInput(reply); round += 1) {
		if (round > rounds_max) return stuck(call, context, "asks for input again and again");
		const { message } = reply as Extract<Reply, { kind: "message" }>;
		const answers = await askAll(call, message, context);
		if (typeof answers === "string") return stuck(call, context, answers);
		reply = await sendAgain(base, roundEdits(base, message, answers));
	}
	return reply;
}

/** The call as it was sent, as a message of its own that further changes can be made to. */
function rebase(call: Call): Message {
	const indexed = indexMessage(applyEdits(call.message.bytes, call.edits));
	if (!indexed.ok) throw new Error(`edits broke a message: ${indexed.problem.message}`);
	return indexed.value;
}

/** The answers as one raw object, or why the client gave none. */
async function askAll(
	call: Call,
	reply: Message,
	context: GatewayContext,
): Promise<ReadonlyMap<string, string | Buffer> | string> {
	const span = memberSpan(reply.result, "inputRequests");
	const questions = span === undefined ? undefined : indexObject(reply.bytes, span);
	if (questions === undefined || questions.members.length === 0) {
		await sleep(context.clock, pause_ms, call.signal).catch(() => undefined);
		return call.signal.aborted ? "was cancelled" : new Map();
	}
	if (questions.members.length > questions_max) return "asked too many questions at once";
	const answers = new Map<string, string | Buffer>();
	const outcomes = await Promise.all(
		questions.members.map(async ({ key, value }) => {
			const question = questionOf(reply.bytes, value, `${call.id}-${key}`);
			if (question === undefined) return "asked something that is not a request";
			const outcome = await ask(call, question);
			if (outcome === undefined) return "was cancelled while it waited for an answer";
			const answer = answerJson(question, outcome);
			if (answer === undefined) return `asked for ${question.method}, which the client refused`;
			answers.set(key, answer);
			return undefined;
		}),
	);
	return outcomes.find((problem) => problem !== undefined) ?? answers;
}

/** One question as a request of its own; URL elicitation needs an id in the legacy era. */
function questionOf(bytes: Buffer, span: Span, elicitation_id: string): Message | undefined {
	const question = indexObject(bytes, span);
	const method = readString(bytes, memberSpan(question, "method"));
	if (method === undefined) return undefined;
	const params = memberSpan(question, "params");
	const request = composeRequest("0", method, params === undefined ? "{}" : rawText(bytes, params));
	const mode = readString(request.bytes, memberSpan(request.params, "mode"));
	if (mode !== "url" || request.params === undefined) return request;
	const set = { elicitationId: JSON.stringify(elicitation_id) };
	const edited = applyEdits(request.bytes, objectEdits(request.bytes, request.params, { set }));
	const indexed = indexMessage(edited);
	return indexed.ok ? indexed.value : undefined;
}

function ask(call: Call, message: Message): Promise<AskOutcome | undefined> {
	return new Promise((resolve) => {
		if (call.signal.aborted) {
			resolve(undefined);
			return;
		}
		call.signal.addEventListener("abort", () => resolve(undefined), { once: true });
		call.sink.ask({ message, answer: resolve, signal: call.signal });
	});
}

/** A modern server hears results only: a refused elicitation is a cancelled one. */
function answerJson(question: Message, outcome: AskOutcome): string | Buffer | undefined {
	if (outcome.kind === "result") return outcome.json;
	return question.method === "elicitation/create" ? '{"action":"cancel"}' : undefined;
}

function roundEdits(
	base: Message,
	reply: Message,
	answers: ReadonlyMap<string, string | Buffer>,
): Edit[] {
	const parts = [...answers].map(([key, json]) => `${JSON.stringify(key)}:${json.toString()}`);
	const set: Record<string, string> = { inputResponses: `{${parts.join(",")}}` };
	const state = memberSpan(reply.result, "requestState");
	if (state !== undefined) set["requestState"] = rawText(reply.bytes, state);
	assert(base.params !== undefined, "a modern request has params");
	return objectEdits(base.bytes, base.params, { set });
}

function stuck(call: Call, context: GatewayContext, what: string): Reply {
	const server = call.target?.server.name;
	return {
		kind: "fault",
		fault: context.fault(
			{
				code: call.signal.aborted ? "call_cancelled" : "not_supported",
				message: `The server "${server}" ${what}.`,
				detail: `code ${rpc_codes.missing_client_capability}`,
				level: "info",
				server,
				retry_safe: false,
			},
			context.fieldsOf(call),
		),
	};
}
