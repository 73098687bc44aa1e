import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import { isLoudEnough } from "../../protocol/log-levels.ts";
import { isSpokenIn } from "../../protocol/methods.ts";
import {
	assumed_legacy_revision,
	batch_revision,
	legacy_revisions,
} from "../../protocol/revisions.ts";
import type { Session } from "../../sessions/sessions.ts";
import { composeError } from "../../wire/compose.ts";
import { indexBatch } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import { type Call, type ClientSide, type Reply, rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { runCall } from "../pipeline.ts";
import { renderReply } from "../render.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Push, Pushes } from "../pushes.ts";
import type { ResourceSubscriptions } from "../subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "../subscriptions/subscription-target.ts";
import { readHeader } from "./classify.ts";
import { acceptsStreams, type Exchange } from "./exchange.ts";
import { HttpReply } from "./http-reply.ts";
import { initialize } from "./legacy-initialize.ts";
import { answerSubscription, isSubscription } from "./legacy-subscribe.ts";
import { legacySink } from "./legacy-sink.ts";
import type { LegacySessionState, LegacyStates } from "./legacy-state.ts";

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
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		if (message.kind !== "request") {
			this.#take(asker, message);
			new HttpReply(exchange.response, this.#replyOptions(exchange, false)).end(202);
			return;
		}
		const reply = new HttpReply(
			exchange.response,
			this.#replyOptions(exchange, acceptsStreams(exchange.request)),
		);
		const rendered = await this.#run(exchange, asker, message, reply);
		reply.finish(rendered, 200);
	}

	/** Serves a batch: only 2025-03-26 has them (basic, batching). */
	async batch(exchange: Exchange, body: Buffer): Promise<void> {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		if (asker.client.revision !== batch_revision) {
			const text = `Batches exist in revision ${batch_revision} only; post one message at a time`;
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text);
			return;
		}
		const indexed = indexBatch(body);
		if (!indexed.ok) {
			this.#refuse(exchange, 400, indexed.problem.code, indexed.problem.message);
			return;
		}
		const messages = indexed.value;
		const requests = messages.filter(({ kind }) => kind === "request");
		if (requests.some(({ method }) => method === "initialize")) {
			const text = "initialize must not be part of a batch";
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text);
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
		reply.finish(Buffer.from(`[${parts.map((part) => part.toString("utf8")).join(",")}]`), 200);
	}

	/** Opens the session's push stream. */
	get(exchange: Exchange): void {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		if (asker.state === undefined || !acceptsStreams(exchange.request)) {
			const text = "A push stream needs a session and Accept: text/event-stream";
			this.#refuse(exchange, asker.state === undefined ? 405 : 406, rpc_codes.invalid_request, text);
			return;
		}
		const { state, client } = asker;
		const stream = new HttpReply(exchange.response, this.#replyOptions(exchange, true));
		stream.open();
		state.opened(stream);
		const forget = this.#pushes.listen({
			endpoint: exchange.endpoint.name,
			session_id: client.session_id,
			wants: (push) => this.#wants(client.session_id as string, exchange, push),
			deliver: (_push, message) => stream.send(message.bytes),
		});
		const letGo = this.#context.sessions.hold(client.session_id as string);
		exchange.response.once("close", () => {
			letGo();
			forget();
			state.closed(stream);
		});
	}

	/** Ends the session at the client's wish. */
	delete(exchange: Exchange): void {
		const asker = this.#identify(exchange);
		if (asker === undefined) return;
		const { session_id } = asker.client;
		if (session_id === undefined) {
			this.#refuse(exchange, 405, rpc_codes.invalid_request, "There is no session to end");
			return;
		}
		this.#context.sessions.end(session_id);
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
			this.#subscriptions.unsubscribe(key, target.uri);
		}
		for (const server of endpoint.servers) {
			if (server.scope !== "session") continue;
			this.#context.hosting.dismiss(this.#context.instanceKey(server, client));
		}
	}

	#wants(session_id: string, exchange: Exchange, push: Push): boolean {
		const session = this.#context.sessions.get(
			session_id,
			exchange.endpoint.name,
			exchange.principal,
		);
		if (session === undefined) return false;
		if (push.kind === "updated") return session.subscriptions.has(push.uri);
		return push.kind !== "log" || isLoudEnough(push.level, session.log_level);
	}

	async #run(
		exchange: Exchange,
		asker: Asker,
		message: Message,
		reply: HttpReply,
	): Promise<Buffer> {
		const id = rawText(message.bytes, message.id as { start: number; end: number });
		const method = message.method as string;
		const to = { id, method, era: "legacy" } as const;
		if (!isSpokenIn(method, "legacy")) {
			return renderReply(rpcError(rpc_codes.method_not_found, `Method not found: ${method}`), to)
				.bytes;
		}
		const cancel = new AbortController();
		const call: Call = {
			id: this.#context.random.uuid(),
			endpoint: exchange.endpoint,
			client: asker.client,
			message,
			method,
			signal: cancel.signal,
			sink: legacySink(reply, asker.state),
			param_headers: undefined,
			edits: [],
			target: undefined,
			lease: undefined,
		};
		const running = { cancel, reply };
		asker.state?.began(id, running);
		const outcome = isSubscription(method)
			? await this.#subscription(call, asker)
			: await runCall(call, this.#context);
		asker.state?.ended(id, running);
		return renderReply(outcome, to).bytes;
	}

	#subscription(call: Call, asker: Asker): Promise<Reply> {
		return answerSubscription(call.message, {
			endpoint: call.endpoint,
			client: call.client,
			session: asker.session,
			sessions: this.#context.sessions,
			subscriptions: this.#subscriptions,
			context: this.#context,
			signal: call.signal,
		});
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
		asker.state?.answered(rawText(bytes, message.id), { kind, json });
	}

	/** Who posts: a session, or a stateless client that never opened one. Answers if neither. */
	#identify(exchange: Exchange): Asker | undefined {
		const { headers } = exchange.request;
		const version = readHeader(headers, header_names.protocol_version);
		if (version !== undefined && !legacy_revisions.includes(version)) {
			const text = `Protocol version ${version} is not supported; use one of ${legacy_revisions.join(", ")}`;
			this.#refuse(exchange, 400, rpc_codes.invalid_request, text);
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
			this.#refuse(exchange, 404, rpc_codes.invalid_request, text);
			return undefined;
		}
		this.#context.sessions.touch(session.id);
		return { client: clientOf(session), state: this.#states.of(session.id), session };
	}

	#stateless(exchange: Exchange, version: string | undefined): Asker {
		const client: ClientSide = {
			era: "legacy",
			revision: version ?? assumed_legacy_revision,
			capabilities: "{}",
			info: '{"name":"unknown","version":"0"}',
			session_id: undefined,
			principal: exchange.principal,
			log_level: undefined,
		};
		return { client, state: undefined, session: undefined };
	}

	#replyOptions(exchange: Exchange, streams: boolean) {
		return { clock: this.#context.clock, headers: exchange.headers, streams };
	}

	#refuse(exchange: Exchange, status: number, code: number, text: string): void {
		const reply = new HttpReply(exchange.response, this.#replyOptions(exchange, false));
		reply.finish(composeError("null", code, text), status);
	}
}

/** The client behind a legacy request. */
interface Asker {
	readonly client: ClientSide;
	/** Undefined for a stateless client. */
	readonly state: LegacySessionState | undefined;
	readonly session: Session | undefined;
}

/** The client side of a session's requests. */
export function clientOf(session: Session): ClientSide {
	return {
		era: "legacy",
		revision: session.revision,
		capabilities: session.client_capabilities,
		info: session.client_info,
		session_id: session.id,
		principal: session.principal,
		log_level: session.log_level,
	};
}
