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
import { cancelWithStream, ownState, resumeRun, type Viewing, viewerOf } from "./modern-resume.ts";
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

	/** Serves one posted message. */
	async post(exchange: Exchange, message: Message): Promise<void> {
		const context = this.#context;
		const reply = new HttpReply(exchange.response, {
			clock: context.clock,
			headers: exchange.headers,
			streams: true,
		});
		if (message.kind === "notification") {
			// No client notification exists over HTTP in this revision; extensions may have some.
			reply.end(202);
			return;
		}
		const id = rawText(message.bytes, message.id as Span);
		const method = message.method as string;
		const finish = (outcome: Reply, status?: number) => {
			const rendered = renderReply(outcome, { id, method, era: "modern" });
			reply.finish(rendered.bytes, status ?? rendered.status, rendered.headers);
		};
		const refuse = (outcome: Reply, status?: number) => {
			finish(outcome, status);
			const client = clientOf(exchange, message);
			const asked = { ...askedBy(exchange), client, message, outcome: replyOutcome(outcome) };
			noteAnswered(asked, context);
		};
		const problem = checkEnvelope(message, exchange.request.headers);
		if (problem !== undefined) {
			// A complaint about the envelope is the client's mistake, whatever its code says.
			refuse(problem, 400);
			return;
		}
		if (!isSpokenIn(method, "modern")) {
			refuse(rpcError(rpc_codes.method_not_found, `Method not found: ${method}`));
			return;
		}
		const viewing: Viewing = { exchange, message, reply, finish, refuse, context };
		const state = ownState(message);
		if (method === "subscriptions/listen") {
			await serveListen(viewing, id, clientOf(exchange, message), this.#sources);
		} else if (state === undefined) {
			await startRun(viewing);
		} else {
			await resumeRun(viewing, state, startRun);
		}
	}
}

/**
 * Starts a call; the run outlives this request when the server asks the client something.
 * Resolves when this request has its answer, which may be a question.
 */
async function startRun(viewing: Viewing): Promise<void> {
	const { exchange, context, message } = viewing;
	const cancel = new AbortController();
	const id = context.random.uuid();
	const answered = Promise.withResolvers<void>();
	const run = new ModernRun(
		viewerOf(viewing, () => run, answered.resolve),
		{
			cancel,
			defer: (fn) => void context.clock.after(gather_ms, fn),
			mayPark: () => context.parked.mayPark(exchange.principal, context.has_tenants),
		},
	);
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
		run.settle(outcome);
		answered.resolve();
	});
	await answered.promise;
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
