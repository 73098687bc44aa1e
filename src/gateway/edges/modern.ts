import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { isSpokenIn } from "../../protocol/methods.ts";
import type { Message, Span } from "../../wire/message.ts";
import { memberSpan, rawText, readName, repeatedText } from "../../wire/object.ts";
import { noteAnswered, replyOutcome } from "../answered.ts";
import { type ClientSide, makeCall, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { ModernRun } from "../parking/modern-run.ts";
import { runCall } from "../pipeline.ts";
import { renderReply } from "../render.ts";
import { checkEnvelope } from "./check-envelope.ts";
import { envelopeVersion } from "./classify.ts";
import { askedBy, type Exchange, traceHeader } from "./exchange.ts";
import { HttpReply } from "./http-reply.ts";
import { type ListenSources, serveListen } from "./modern-listen.ts";
import {
	cancelWithStream,
	ownState,
	RequestViewer,
	resumeRun,
	type Viewing,
} from "./modern-resume.ts";
import { unnamed_client } from "./session-client.ts";

/**
 * The edge of the modern revision: every request stands alone, its response stream carries its
 * progress, and closing that stream cancels it (2026-07-28, transports).
 */
export class ModernEdge {
	readonly #context: GatewayContext;
	readonly #sources: ListenSources;

	constructor(context: GatewayContext, sources: ListenSources) {
		this.#context = context;
		this.#sources = sources;
	}

	/** Serves one posted message; a promise says when it has its answer, if that takes a while. */
	post(exchange: Exchange, message: Message): Promise<void> | undefined {
		const context = this.#context;
		const reply = new HttpReply(exchange.response, {
			clock: context.clock,
			headers: exchange.headers,
			streams: true,
		});
		if (message.kind === "notification") {
			// No client notification exists over HTTP in this revision; extensions may have some.
			reply.end(202);
			return undefined;
		}
		const method = message.method as string;
		const viewing = new OneRequest(exchange, message, reply, context);
		const problem = checkEnvelope(message, exchange.request.headers);
		if (problem !== undefined) {
			// A complaint about the envelope is the client's mistake, whatever its code says.
			viewing.refuse(problem, 400);
			return undefined;
		}
		if (!isSpokenIn(method, "modern")) {
			viewing.refuse(rpcError(rpc_codes.method_not_found, `Method not found: ${method}`));
			return undefined;
		}
		if (method === "subscriptions/listen") {
			return serveListen(viewing, viewing.id, clientOf(exchange, message), this.#sources);
		}
		const state = ownState(message);
		return state === undefined ? startRun(viewing) : resumeRun(viewing, state, startRun);
	}
}

/** A class, since functions of its own would be made anew with every request. */
class OneRequest implements Viewing {
	readonly exchange: Exchange;
	readonly message: Message;
	readonly reply: HttpReply;
	readonly context: GatewayContext;
	/** The client's own id, raw JSON. */
	readonly id: string;

	constructor(exchange: Exchange, message: Message, reply: HttpReply, context: GatewayContext) {
		this.exchange = exchange;
		this.message = message;
		this.reply = reply;
		this.context = context;
		this.id = rawText(message.bytes, message.id as Span);
	}

	finish(outcome: Reply, status?: number): void {
		const method = this.message.method as string;
		const rendered = renderReply(outcome, { id: this.id, method, era: "modern" });
		this.reply.finish(rendered.bytes, status ?? rendered.status, rendered.headers);
	}

	refuse(outcome: Reply, status?: number): void {
		this.finish(outcome, status);
		const { exchange, message, context } = this;
		const client = clientOf(exchange, message);
		const asked = { ...askedBy(exchange), client, message, outcome: replyOutcome(outcome) };
		noteAnswered(asked, context);
	}
}

/**
 * Starts a call; the run outlives this request when the server asks the client something.
 * Resolves when this request has its answer, which may be a question.
 */
function startRun(viewing: Viewing): Promise<void> {
	const { exchange, context, message } = viewing;
	const cancel = new AbortController();
	const id = context.random.uuid();
	const answered = Promise.withResolvers<void>();
	const run = new ModernRun(new RequestViewer(viewing, answered.resolve), {
		cancel,
		defer: (fn) => void context.clock.after(gather_ms, fn),
		mayPark: () => context.parked.mayPark(exchange.principal, context.has_tenants),
	});
	cancelWithStream(viewing, run);
	const method = message.method as string;
	const parts = {
		id,
		principal: exchange.who,
		endpoint: exchange.endpoint,
		client: clientOf(exchange, message),
		message,
		method,
		signal: cancel.signal,
		cancel,
		sink: run,
		param_headers: method === "tools/call" ? paramHeaders(exchange) : undefined,
		trace_header: traceHeader(exchange.request),
	};
	void runCall(makeCall(parts, context.clock), context).then((outcome) => {
		const is_told = run.state === "running";
		run.settle(outcome);
		// Who looks on has it from there. To resolve a promise once more costs more than the promise.
		if (!is_told) answered.resolve();
	});
	return answered.promise;
}

function clientOf(exchange: Exchange, message: Message): ClientSide {
	const { bytes, meta } = message;
	const capabilities = memberSpan(meta, meta_keys.client_capabilities);
	const info = memberSpan(meta, meta_keys.client_info);
	return {
		era: "modern",
		revision: envelopeVersion(message) ?? "",
		capabilities: capabilities === undefined ? "{}" : repeatedText(bytes, capabilities),
		info: info === undefined ? unnamed_client : repeatedText(bytes, info),
		session_id: undefined,
		principal: exchange.principal,
		client_id: exchange.client,
		log_level: readName(bytes, memberSpan(meta, meta_keys.log_level)),
	};
}

/**
 * Questions a server asks at once come one after the other, and over a pipe or a network not in
 * one piece: so long after the first, others still belong to its round. Nobody who answers
 * questions notices.
 */
const gather_ms = 10;

function paramHeaders(exchange: Exchange): Record<string, string> | undefined {
	let found: Record<string, string> | undefined;
	const { headers } = exchange.request;
	for (const name in headers) {
		if (!name.startsWith(header_names.param_prefix)) continue;
		found ??= {};
		found[name] = String(headers[name]);
	}
	return found;
}
