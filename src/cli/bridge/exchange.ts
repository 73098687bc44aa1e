import { type Clock, sleep } from "../../lib/clock.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message, Span } from "../../wire/message.ts";
import { rawText } from "../../wire/object.ts";
import { json_headers, type LegacySession } from "./legacy-session.ts";
import type { LineWriter } from "./line-writer.ts";
import type { Link, LinkResponse } from "./link.ts";
import { isRepeatable } from "./methods.ts";
import { modernHeaders } from "./modern-headers.ts";
import type { ParamHeaders } from "./param-headers.ts";
import { isEventStream, readBody, readEvents } from "./read-reply.ts";
import { linkError, refusalError, streamEndError } from "./rpc-error.ts";

/** What every exchange is carried out with. */
export interface ExchangeTools {
	readonly link: Link;
	readonly session: LegacySession;
	readonly params: ParamHeaders;
	readonly writer: LineWriter;
	readonly clock: Clock;
}

/** One request of the client on its way to its one answer. */
export interface ExchangeRequest {
	readonly message: Message;
	/** The revision in its envelope; undefined for a legacy request. */
	readonly revision: string | undefined;
	readonly signal: AbortSignal;
}

/** A stream that ends without the answer is opened again this often, after a pause. */
const attempts_max = 5;
const pause_ms = 250;

/**
 * Carries out one request: exactly one answer is written for it, or none when it was cancelled.
 * Messages ahead of the answer are written as they come.
 */
export async function exchange(request: ExchangeRequest, tools: ExchangeTools): Promise<void> {
	const { message, signal } = request;
	const id = rawText(message.bytes, message.id as Span);
	const repeatable = isRepeatable(message.method);
	let answer: Buffer | undefined;
	for (let attempt = 1; attempt <= attempts_max; attempt += 1) {
		const session_id = request.revision === undefined ? tools.session.id : undefined;
		const headers = { ...json_headers, ...headersOf(request, tools) };
		const body = message.bytes;
		const sent = await tools.link.send({ method: "POST", headers, body, signal, repeatable });
		if (signal.aborted) return;
		if (!sent.ok) {
			answer = linkError(id, sent.problem);
			break;
		}
		const outcome = await readOutcome(request, id, sent.value, tools);
		if (signal.aborted) return;
		if (outcome.kind === "answered") return;
		answer = outcome.answer;
		if (outcome.kind === "session_lost" && session_id !== undefined) {
			if (await tools.session.renew(session_id)) continue;
			break;
		}
		if (outcome.kind !== "cut" || !repeatable) break;
		await sleep(tools.clock, pause_ms * attempt, signal).catch(() => undefined);
	}
	if (answer !== undefined) await tools.writer.write(answer);
}

type Outcome =
	| { readonly kind: "answered" }
	/** What to tell the client, unless another attempt is made. */
	| { readonly kind: "refused" | "session_lost" | "cut"; readonly answer: Buffer };

function headersOf(request: ExchangeRequest, tools: ExchangeTools): Record<string, string> {
	const { message, revision } = request;
	if (revision !== undefined) {
		return { ...modernHeaders(message, revision), ...tools.params.headersFor(message) };
	}
	return message.method === "initialize" ? {} : tools.session.headers();
}

async function readOutcome(
	request: ExchangeRequest,
	id: string,
	response: LinkResponse,
	tools: ExchangeTools,
): Promise<Outcome> {
	if (isEventStream(response)) {
		let answered = false;
		await readEvents(response, async (data) => {
			if (request.signal.aborted) return;
			answered = take(request, id, data, response, tools) || answered;
			await tools.writer.write(data);
		});
		return answered ? { kind: "answered" } : { kind: "cut", answer: streamEndError(id) };
	}
	const body = await readBody(response);
	if (body === undefined) return { kind: "cut", answer: streamEndError(id) };
	if (request.signal.aborted) return { kind: "answered" };
	if (response.status < 300 && take(request, id, body, response, tools)) {
		await tools.writer.write(body);
		return { kind: "answered" };
	}
	const lost = response.status === 404 && indexMessage(body).ok && request.revision === undefined;
	const answer = refusalError(id, response.status, body);
	return { kind: lost ? "session_lost" : "refused", answer };
}

/** Looks at a message on its way to the client. True when it is the answer to this request. */
function take(
	request: ExchangeRequest,
	id: string,
	data: Buffer,
	response: LinkResponse,
	tools: ExchangeTools,
): boolean {
	const indexed = indexMessage(data);
	if (!indexed.ok) return false;
	const answer = indexed.value;
	if (answer.kind !== "result" && answer.kind !== "error") return false;
	if (answer.id === undefined || rawText(data, answer.id) !== id) return false;
	const { method } = request.message;
	if (method === "initialize" && request.revision === undefined) {
		tools.session.opened(response, answer);
	}
	if (method === "tools/list") tools.params.learn(answer);
	return true;
}
