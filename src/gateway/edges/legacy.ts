import { type Principal, partsOfPrincipal } from "../../identity/principal.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import { isSpokenIn } from "../../protocol/methods.ts";
import {
	assumed_legacy_revision,
	batch_revision,
	legacy_revisions,
} from "../../protocol/revisions.ts";
import type { Session } from "../../sessions/sessions.ts";
import { wholeBody } from "../../wire/body.ts";
import { composeError } from "../../wire/compose.ts";
import { indexBatch } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import { type AnsweredOutcome, answered_well, noteAnswered, replyOutcome } from "../answered.ts";
import { type Call, type ClientSide, makeCall, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";
import { recordCall, runCall } from "../pipeline.ts";
import type { Pushes } from "../pushes.ts";
import { type Rendered, renderReply } from "../render.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";
import type { Channel } from "./channel.ts";
import { readHeader } from "./classify.ts";
import { acceptsStreams, askedBy, type Exchange, traceHeader } from "./exchange.ts";
import { HttpReply } from "./http-reply.ts";
import { serveGet } from "./legacy-get.ts";
import { initialize } from "./legacy-initialize.ts";
import { legacySink } from "./legacy-sink.ts";
import type { LegacySessionState, LegacyStates } from "./legacy-state.ts";
import { answerSubscription, isSubscription } from "./legacy-subscribe.ts";
import { clientOf, unnamed_client } from "./session-client.ts";
import { SessionReply } from "./session-reply.ts";
import { formatPurpose } from "./stream-purpose.ts";

/** The edge of the legacy revisions: sessions, and connections that may go and come back. */
export class LegacyEdge {
	readonly #context: GatewayContext;
	readonly #states: LegacyStates;
	readonly #pushes: Pushes;
	readonly #subscriptions: ResourceSubscriptions;

	constructor(
		context: GatewayContext,
		states: LegacyStates,
		pushes: Pushes,
		subscriptions: ResourceSubscriptions,
		endpoints: () => ReadonlyMap<string, Endpoint>,
	) {
		this.#subscriptions = subscriptions;
		this.#context = context;
		this.#states = states;
		context.sessions.onEnd((session) => {
			this.#onSessionEnd(session, endpoints().get(session.endpoint));
		});
		this.#pushes = pushes;
	}

	/** Serves one posted message. */
	async post(exchange: Exchange, message: Message): Promise<void> {
		if (message.method === "initialize" && message.kind === "request") {
			await initialize(exchange, message, this.#context);
			return;
		}
		const asker = this.#identify(exchange, message);
		if (asker === undefined) return;
		if (message.kind !== "request") {
			this.#take(asker, message);
			new HttpReply(exchange.response, this.#replyOptions(exchange, false)).end(202);
			return;
		}
		const reply = this.#channel(exchange, asker, message);
		const rendered = await this.#run(exchange, asker, message, reply);
		reply.finish(rendered.bytes, rendered.status, rendered.headers);
	}

	/** Serves one message of a session that another transport brings. */
	async serve(
		exchange: Pick<Exchange, "request" | "endpoint" | "who">,
		session: Session,
		message: Message,
		channel: Channel,
	): Promise<void> {
		const { who } = exchange;
		const state = this.#states.of(session.id);
		const asker = { who, client: clientOf(session), state, session };
		this.#context.sessions.touch(session.id);
		if (message.kind === "request") {
			channel.finish((await this.#run(exchange, asker, message, channel)).bytes, 200);
		} else {
			this.#take(asker, message);
		}
	}

	/** Serves a batch: only 2025-03-26 has them (basic, batching). */
	async batch(exchange: Exchange, body: Buffer): Promise<void> {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		if (asker.client.revision !== batch_revision) {
			const text = `Batches exist in revision ${batch_revision} only; post one message at a time`;
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text, asker);
			return;
		}
		const indexed = indexBatch(body);
		if (!indexed.ok) {
			this.#refuse(exchange, 400, indexed.problem.code, indexed.problem.message, asker);
			return;
		}
		const messages = indexed.value;
		const requests = messages.filter(({ kind }) => kind === "request");
		if (requests.some(({ method }) => method === "initialize")) {
			const text = "initialize must not be part of a batch";
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text, asker);
			return;
		}
		for (const message of messages) if (message.kind !== "request") this.#take(asker, message);
		const streams = requests.length > 0 && acceptsStreams(exchange.request);
		const reply = new HttpReply(exchange.response, this.#replyOptions(exchange, streams));
		if (requests.length === 0) {
			reply.end(202);
			return;
		}
		const parts = await Promise.all(
			requests.map((message) => this.#run(exchange, asker, message, reply)),
		);
		reply.finish(
			Buffer.from(`[${parts.map(({ bytes }) => wholeBody(bytes).toString("utf8")).join(",")}]`),
			200,
		);
	}

	/** Opens the session's push stream, or takes up a stream that broke. */
	async get(exchange: Exchange): Promise<void> {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		const streams = acceptsStreams(exchange.request);
		if (asker.session === undefined || asker.state === undefined || !streams) {
			const text = "A push stream needs a session and Accept: text/event-stream";
			const status = asker.session === undefined ? 405 : 406;
			this.#refuse(exchange, status, rpc_codes.invalid_request, text, asker);
			return;
		}
		const { session, state } = asker;
		const parts = { exchange, session, state, context: this.#context, pushes: this.#pushes };
		const outcome = await serveGet(parts);
		if (outcome === "served") return this.#note(exchange, answered_well, asker);
		const text = "Last-Event-ID names no event that is kept here. Open a new stream without it";
		this.#refuse(exchange, 400, rpc_codes.invalid_request, text, asker);
	}

	/** Ends the session at the client's wish. */
	async delete(exchange: Exchange): Promise<void> {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		const { session_id } = asker.client;
		if (session_id === undefined) {
			const text = "There is no session to end";
			this.#refuse(exchange, 405, rpc_codes.invalid_request, text, asker);
			return;
		}
		this.#context.sessions.end(session_id);
		// Ended for good, also if the gateway is killed right after its answer.
		await this.#context.sessions.flush();
		this.#note(exchange, answered_well, asker);
		new HttpReply(exchange.response, this.#replyOptions(exchange, false)).end(200);
	}

	/** Everything that hangs on a session ends with it, however it ended. */
	#onSessionEnd(session: Session, endpoint: Endpoint | undefined): void {
		this.#states.end(session.id);
		if (endpoint === undefined) return;
		const client = clientOf(session);
		for (const uri of session.subscriptions) {
			const target = subscriptionTarget(endpoint, uri);
			if (target === undefined) continue;
			const key = this.#context.instanceKey(target.server, client);
			const { tenant } = partsOfPrincipal(session.principal);
			this.#subscriptions.unsubscribe(key, { uri: target.uri, tenant });
		}
		for (const server of endpoint.servers) {
			if (server.scope !== "session") continue;
			this.#context.hosting.dismiss(this.#context.instanceKey(server, client));
		}
	}

	/** A session's replies can be resumed; a stateless client has nothing to come back with. */
	#channel(exchange: Exchange, asker: Asker, message: Message): Channel {
		const streams = acceptsStreams(exchange.request);
		if (asker.session === undefined || !streams) {
			return new HttpReply(exchange.response, this.#replyOptions(exchange, streams));
		}
		const { clock, events } = this.#context;
		const id = rawText(message.bytes, message.id as { start: number; end: number });
		return new SessionReply(exchange.response, {
			clock,
			headers: exchange.headers,
			events,
			session_id: asker.session.id,
			revision: asker.session.revision,
			about: formatPurpose({ kind: "call", id, method: message.method as string }),
		});
	}

	async #run(
		exchange: Pick<Exchange, "request" | "endpoint" | "who">,
		asker: Asker,
		message: Message,
		reply: Channel,
	): Promise<Rendered> {
		const id = rawText(message.bytes, message.id as { start: number; end: number });
		const method = message.method as string;
		const to = { id, method, era: "legacy" } as const;
		if (!isSpokenIn(method, "legacy")) {
			const unknown = rpcError(rpc_codes.method_not_found, `Method not found: ${method}`);
			this.#note(exchange, replyOutcome(unknown), asker, message);
			return renderReply(unknown, to);
		}
		const cancel = new AbortController();
		const parts = {
			id: this.#context.random.uuid(),
			principal: asker.who,
			endpoint: exchange.endpoint,
			client: asker.client,
			message,
			method,
			signal: cancel.signal,
			cancel,
			sink: legacySink(reply, asker.state),
			trace_header: asker.trace_header,
		};
		const call = makeCall(parts, this.#context.clock);
		const running = { cancel, reply };
		asker.state?.began(id, running);
		const outcome = isSubscription(method)
			? await this.#subscription(call, asker)
			: await runCall(call, this.#context);
		asker.state?.ended(id, running);
		if (outcome.kind === "fault") {
			this.#context.report(outcome.fault, this.#context.fieldsOf(call));
		}
		return renderReply(outcome, to);
	}

	async #subscription(call: Call, asker: Asker): Promise<Reply> {
		const reply = await answerSubscription(call, {
			session: asker.session,
			sessions: this.#context.sessions,
			subscriptions: this.#subscriptions,
			context: this.#context,
		});
		await recordCall(call, reply, this.#context);
		return reply;
	}

	/** Takes what needs no answer: the client's notifications and its answers to questions. */
	#take(asker: Asker, message: Message): void {
		const { bytes } = message;
		if (message.method === "notifications/cancelled") {
			const id = memberSpan(message.params, "requestId");
			if (id !== undefined) asker.state?.cancel(rawText(bytes, id));
			return;
		}
		if (message.id === undefined || message.kind === "request") return;
		const body = message.result ?? message.error;
		if (body === undefined) return;
		const json = bytes.subarray(body.span.start, body.span.end);
		const kind = message.result === undefined ? "error" : "result";
		asker.state?.questions.answered(rawText(bytes, message.id), { kind, json });
	}

	/** Who posts: a session, or a stateless client that never opened one. Answers if neither. */
	#identify(exchange: Exchange, message?: Message): Asker | undefined {
		const { headers } = exchange.request;
		const version = readHeader(headers, header_names.protocol_version);
		if (version !== undefined && !legacy_revisions.includes(version)) {
			const text = `Protocol version ${version} is not supported; use one of ${legacy_revisions.join(", ")}`;
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text, undefined, message);
			return undefined;
		}
		const session_id = readHeader(headers, header_names.session_id);
		if (session_id === undefined) return this.#stateless(exchange, version);
		const session = this.#context.sessions.get(
			session_id,
			exchange.endpoint.name,
			exchange.principal,
		);
		if (session === undefined) {
			const text = "Session not found: it ended or never existed. Send initialize to open one";
			this.#refuse(exchange, 404, rpc_codes.invalid_request, text, undefined, message);
			return undefined;
		}
		this.#context.sessions.touch(session.id);
		const { who } = exchange;
		const state = this.#states.of(session.id);
		return {
			who,
			client: clientOf(session),
			state,
			session,
			trace_header: traceHeader(exchange.request),
		};
	}

	#stateless(exchange: Exchange, version: string | undefined): Asker {
		const client: ClientSide = {
			era: "legacy",
			revision: version ?? assumed_legacy_revision,
			capabilities: "{}",
			info: unnamed_client,
			session_id: undefined,
			principal: exchange.principal,
			log_level: undefined,
		};
		const trace_header = traceHeader(exchange.request);
		return { who: exchange.who, client, state: undefined, session: undefined, trace_header };
	}

	#replyOptions(exchange: Exchange, streams: boolean) {
		return { clock: this.#context.clock, headers: exchange.headers, streams };
	}

	#refuse(
		exchange: Exchange,
		status: number,
		code: number,
		text: string,
		asker?: Asker,
		message?: Message,
	): void {
		const reply = new HttpReply(exchange.response, this.#replyOptions(exchange, false));
		reply.finish(composeError("null", code, text), status);
		this.#note(exchange, replyOutcome(rpcError(code, text)), asker, message);
	}

	/** A request that was answered here has its line in the call log all the same. */
	#note(
		exchange: Pick<Exchange, "request" | "endpoint" | "who">,
		outcome: AnsweredOutcome,
		asker?: Asker,
		message?: Message,
	): void {
		const session_id = readHeader(exchange.request.headers, header_names.session_id);
		const known = { client: asker?.client, session_id, message, outcome };
		noteAnswered({ ...askedBy(exchange), ...known }, this.#context);
	}
}

/** The client behind a legacy request. */
interface Asker {
	readonly who: Principal;
	readonly client: ClientSide;
	/** Undefined for a stateless client. */
	readonly state: LegacySessionState | undefined;
	readonly session: Session | undefined;
	readonly trace_header?: string | undefined;
}
