import { rpc_codes } from "../../protocol/codes.ts";
import type { AskOutcome, UpstreamAsk } from "../../upstreams/driver.ts";
import type { Message } from "../../wire/message.ts";
import { indexObject, memberSpan, readJson, readString } from "../../wire/object.ts";
import { type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { inputRequestsJson, type ModernRun, type RunViewer } from "../parking/modern-run.ts";
import type { ParkedFor } from "../parking/parked-calls.ts";
import { isSealed, requestDigest } from "../parking/seal.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpReply } from "./http-reply.ts";

/** One request of a modern client while it looks at a run. */
export interface Viewing {
	readonly exchange: Exchange;
	readonly message: Message;
	readonly reply: HttpReply;
	readonly context: GatewayContext;
	finish(outcome: Reply, status?: number): void;
	/** Finishes a request that does not become a call, and notes it. */
	refuse(outcome: Reply, status?: number): void;
}

/** The `requestState` of a retry, when it is one of ours and not a server's. */
export function ownState(message: Message): string | undefined {
	const span = memberSpan(message.params, "requestState");
	const state = readString(message.bytes, span);
	return state !== undefined && isSealed(state) ? state : undefined;
}

/** How a request sees its run: notifications, then either more questions or the reply. */
export class RequestViewer implements RunViewer {
	readonly #viewing: Viewing;
	readonly #onAnswered: () => void;

	/** `onAnswered` is told when the request has its answer. */
	constructor(viewing: Viewing, onAnswered: () => void) {
		this.#viewing = viewing;
		this.#onAnswered = onAnswered;
	}

	notify(message: Message): void {
		this.#viewing.reply.send(message.bytes);
	}

	backlog(): Promise<void> | undefined {
		return this.#viewing.reply.backlog();
	}

	inputRequired(questions: ReadonlyMap<string, UpstreamAsk>, run: ModernRun): void {
		const { parked, random } = this.#viewing.context;
		const state = parked.park(random.uuid(), run, parkedFor(this.#viewing));
		const json =
			`{"resultType":"input_required","inputRequests":${inputRequestsJson(questions)},` +
			`"requestState":${JSON.stringify(state)}}`;
		this.finish({ kind: "result", json });
	}

	finish(outcome: Reply): void {
		this.#viewing.finish(outcome);
		this.#onAnswered();
	}
}

/** Closing the response stream is how a modern client cancels. */
export function cancelWithStream({ exchange, reply }: Viewing, run: ModernRun): void {
	exchange.response.on("close", () => {
		if (reply.finished) return;
		reply.abandon();
		run.cancel();
	});
}

/**
 * Continues the call a sealed state names, or says why that cannot be. Resolves when this
 * request has its answer.
 */
export async function resumeRun(
	viewing: Viewing,
	state: string,
	startRun: (viewing: Viewing) => Promise<void>,
): Promise<void> {
	const { context, message } = viewing;
	const found = context.parked.take(state, parkedFor(viewing));
	if (found === "again") {
		await startRun(viewing);
	} else if (found === "invalid") {
		const text = "requestState does not belong to this request";
		viewing.refuse(rpcError(rpc_codes.invalid_params, text));
	} else if (found === "over") {
		const text = "requestState has expired or was answered already. Send the request anew";
		viewing.refuse(rpcError(rpc_codes.invalid_params, text));
	} else {
		cancelWithStream(viewing, found);
		const answered = Promise.withResolvers<void>();
		// A request that is cancelled never gets an answer, but it always gets an end.
		viewing.exchange.response.once("close", answered.resolve);
		found.resume(new RequestViewer(viewing, answered.resolve), answersOf(message));
		await answered.promise;
	}
}

/** What a parked call is bound to, and a retry is compared with. */
export function parkedFor(viewing: Viewing): ParkedFor {
	const { exchange, message } = viewing;
	const params = readJson(message.bytes, message.params?.span);
	return {
		principal: exchange.principal,
		request: requestDigest(exchange.endpoint.name, message.method as string, params),
	};
}

const open_brace = 0x7b;

/** The answers a request brings; anything that is not an object is no answer. */
export function answersOf(message: Message): ReadonlyMap<string, AskOutcome> {
	const answers = new Map<string, AskOutcome>();
	const span = memberSpan(message.params, "inputResponses");
	if (span === undefined || message.bytes[span.start] !== open_brace) return answers;
	for (const { key, value } of indexObject(message.bytes, span)?.members ?? []) {
		if (message.bytes[value.start] !== open_brace) continue;
		const json = Buffer.from(message.bytes.subarray(value.start, value.end));
		answers.set(key, { kind: "result", json });
	}
	return answers;
}
