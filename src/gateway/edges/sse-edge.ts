import { rpc_codes } from "../../protocol/codes.ts";
import { header_names } from "../../protocol/headers.ts";
import type { Session } from "../../sessions/sessions.ts";
import { wholeBody } from "../../wire/body.ts";
import { composeError, composeResult } from "../../wire/compose.ts";
import { indexMessage, isBatch } from "../../wire/index-message.ts";
import type { Message, Span } from "../../wire/message.ts";
import { rawText } from "../../wire/object.ts";
import { Admission } from "../admission.ts";
import { answerError } from "../answer-error.ts";
import {
	type AnsweredOutcome,
	answered_well,
	noteAnswered,
	refusedOutcome,
	replyOutcome,
} from "../answered.ts";
import { rpcError } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { combined_endpoint, type Endpoint } from "../endpoint.ts";
import type { Pushes } from "../pushes.ts";
import { readBody } from "../read-body.ts";
import { renderReply } from "../render.ts";
import { come_back, shutting_down } from "../shutting-down.ts";
import { readHeader } from "./classify.ts";
import { askedBy, type Exchange, traceHeader } from "./exchange.ts";
import type { LegacyEdge } from "./legacy.ts";
import { openSession } from "./legacy-initialize.ts";
import type { LegacyStates } from "./legacy-state.ts";
import { pushListener } from "./push-listener.ts";
import { unnamed_client } from "./session-client.ts";
import { SseChannel, SseLink, SsePush } from "./sse-link.ts";

/** What the edge works with. */
export interface SseEdgeParts {
	readonly context: GatewayContext;
	readonly legacy: LegacyEdge;
	readonly states: LegacyStates;
	readonly pushes: Pushes;
	/** Aborts when the gateway stops. */
	readonly stopping: AbortSignal;
}

const link_id_bytes = 32;

/** The revision that has this transport, and no other. */
const transport_revision = "2024-11-05";

/**
 * The edge of the HTTP+SSE transport (transports, 2024-11-05): a stream at `/sse`, whose first
 * event says where to post. What is posted goes the way of every legacy message; replies come
 * back on the stream.
 */
export class SseEdge {
	readonly #parts: SseEdgeParts;
	/** By the id that clients post under. */
	readonly #links = new Map<string, SseLink>();
	/** The room for links, shared among tenants. */
	readonly #room = new Admission();
	/** By session, for clients that come back. */
	readonly #by_session = new Map<string, SseLink>();
	/** Sessions that were opened without a handshake. */
	readonly #assumed = new Set<string>();

	constructor(parts: SseEdgeParts) {
		this.#parts = parts;
		parts.context.sessions.onEnd((session) => this.#by_session.get(session.id)?.close());
	}

	/** Streams that are open now, or may come back. */
	get count(): number {
		return this.#links.size;
	}

	/** Serves `GET /sse` and `GET /<name>/sse`. */
	stream(exchange: Exchange): void {
		const { request, response, endpoint, headers } = exchange;
		if (request.method !== "GET") {
			this.#refuse(exchange, 405, "Open the event stream with GET");
			return;
		}
		const link = this.#returning(exchange) ?? this.#open(exchange);
		if (link === undefined) {
			this.#refuse(exchange, 503, "Too many event streams are open");
			return;
		}
		link.attach(response, headers, `${messagePath(endpoint)}?sessionId=${link.id}`);
		this.#note(exchange, answered_well);
	}

	/** Serves what is posted: the answer is only that it was taken. */
	async message(exchange: Exchange): Promise<void> {
		const { request, response, endpoint, headers } = exchange;
		if (request.method !== "POST") {
			this.#refuse(exchange, 405, "Messages are posted here");
			return;
		}
		const id = URL.parse(request.url ?? "", "http://local")?.searchParams.get("sessionId") ?? "";
		const link = this.#links.get(id);
		if (link === undefined || !link.belongsTo(endpoint.name, exchange.principal)) {
			this.#refuse(exchange, 404, "There is no event stream of that id. Open one with GET");
			return;
		}
		const message = await this.#read(exchange);
		if (message === undefined) return;
		if (this.#parts.stopping.aborted && message.kind === "request") {
			answerError(response, 503, shutting_down, { ...headers, ...come_back });
			this.#note(exchange, refusedOutcome(503, shutting_down), message);
			return;
		}
		response.writeHead(202, { ...headers, "content-type": "text/plain" });
		response.end("Accepted");
		await this.#take(link, exchange, message);
	}

	/** Ends the streams, whose clients may take them up again at the next gateway. */
	hangUp(): void {
		for (const link of this.#links.values()) link.hangUp();
	}

	/** The link of a client that lost its stream, or its stored session, taken up again. */
	#returning(exchange: Exchange): SseLink | undefined {
		const mark = readHeader(exchange.request.headers, header_names.last_event_id);
		if (mark === undefined || mark === "") return undefined;
		const { endpoint, principal } = exchange;
		const session = this.#parts.context.sessions.get(mark, endpoint.name, principal);
		if (session === undefined) return undefined;
		const known = this.#by_session.get(session.id);
		if (known !== undefined) return known;
		const link = this.#open(exchange);
		if (link !== undefined) this.#begin(link, exchange, session);
		return link;
	}

	#open({ endpoint, principal, who }: Exchange): SseLink | undefined {
		const { context } = this.#parts;
		const { limits, has_tenants } = context;
		const seat = this.#room.enter(who.tenant, limits.sessions_max, has_tenants);
		if (typeof seat === "string") return undefined;
		const link = new SseLink({
			id: context.random.bytes(link_id_bytes).toString("base64url"),
			endpoint: endpoint.name,
			principal,
			clock: context.clock,
			stopping: this.#parts.stopping,
			waiting_bytes_max: context.limits.reply_bytes_max,
			onOver: (over) => {
				this.#room.leave(seat);
				this.#over(over);
			},
		});
		this.#links.set(link.id, link);
		return link;
	}

	#over(link: SseLink): void {
		this.#links.delete(link.id);
		this.#part(link);
	}

	/** Ends the session of a link; the link itself may go on with another one. */
	#part(link: SseLink): void {
		const { session } = link;
		if (session === undefined) return;
		link.session = undefined;
		this.#by_session.delete(session.id);
		this.#assumed.delete(session.id);
		this.#parts.context.sessions.end(session.id);
	}

	async #read(exchange: Exchange): Promise<Message | undefined> {
		const { request } = exchange;
		if (!/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
			this.#refuse(exchange, 415, "Content-Type must be application/json");
			return undefined;
		}
		const bytes_max = this.#parts.context.limits.body_bytes_max;
		const body = await readBody(request, bytes_max);
		if (!body.ok) {
			if (body.problem === "aborted") return undefined;
			exchange.response.setHeader("connection", "close");
			this.#refuse(exchange, 413, `The request is larger than ${bytes_max} bytes (limits.body)`);
			return undefined;
		}
		if (isBatch(body.value)) {
			this.#refuse(exchange, 400, "This transport takes one message at a time");
			return undefined;
		}
		const indexed = indexMessage(body.value);
		if (indexed.ok) return indexed.value;
		this.#refuse(exchange, 400, indexed.problem.message);
		return undefined;
	}

	async #take(link: SseLink, exchange: Exchange, message: Message): Promise<void> {
		if (message.kind === "request" && message.method === "initialize") {
			await this.#initialize(link, exchange, message);
			return;
		}
		const session = link.session ?? this.#assume(link, exchange, message);
		if (session === undefined) return;
		await this.#parts.legacy.serve(exchange, session, message, new SseChannel(link));
	}

	/**
	 * The session of a client that asks for something without a handshake. That is one whose
	 * stream was opened again by itself after a restart of the gateway, and which cannot know
	 * that it should begin anew: it is served as a client that can do nothing in particular.
	 */
	#assume(link: SseLink, exchange: Exchange, message: Message): Session | undefined {
		if (message.kind !== "request") return undefined;
		const { endpoint } = exchange;
		const { context } = this.#parts;
		const parts = {
			endpoint: endpoint.name,
			principal: link.principal,
			revision: transport_revision,
			client_capabilities: "{}",
			client_info: unnamed_client,
		};
		const session = context.sessions.create(parts, context.has_tenants);
		if (session === undefined) {
			const problem = rpcError(rpc_codes.internal_error, "Too many sessions are open");
			link.send(composeError(idOf(message), problem.code, problem.message));
			this.#note(exchange, replyOutcome(problem), message);
			return undefined;
		}
		this.#begin(link, exchange, session);
		this.#assumed.add(session.id);
		return session;
	}

	async #initialize(link: SseLink, exchange: Exchange, message: Message): Promise<void> {
		const id = idOf(message);
		const { endpoint, who, request } = exchange;
		const { context } = this.#parts;
		if (link.session !== undefined && !this.#assumed.has(link.session.id)) {
			const problem = rpcError(rpc_codes.invalid_request, "This stream is initialized already");
			link.send(composeError(id, problem.code, problem.message));
			this.#note(exchange, replyOutcome(problem), message);
			return;
		}
		const trace_header = traceHeader(request);
		const asked = { endpoint, who, message, signal: link.signal, trace_header };
		const opening = await openSession(asked, context);
		if (opening.kind === "refused") {
			const to = { id, method: "initialize", era: "legacy" } as const;
			link.send(wholeBody(renderReply(opening.reply, to).bytes));
			return;
		}
		if (link.signal.aborted) {
			context.sessions.end(opening.session.id);
			return;
		}
		this.#part(link);
		this.#begin(link, exchange, opening.session);
		link.send(composeResult(id, opening.result));
	}

	#refuse(exchange: Exchange, status: number, message: string): void {
		const refusal = { code: "sse_refused", message } as const;
		answerError(exchange.response, status, refusal, exchange.headers);
		this.#note(exchange, refusedOutcome(status, refusal));
	}

	/** A request that was answered here has its line in the call log all the same. */
	#note(exchange: Exchange, outcome: AnsweredOutcome, message?: Message): void {
		noteAnswered({ ...askedBy(exchange), message, outcome }, this.#parts.context);
	}

	#begin(link: SseLink, { endpoint, who }: Exchange, session: Session): void {
		const { context, pushes, states } = this.#parts;
		link.session = session;
		this.#by_session.set(session.id, link);
		const letGo = context.sessions.hold(session.id);
		link.signal.addEventListener("abort", letGo, { once: true });
		const listen = (push: SsePush) =>
			pushes.listen({
				...pushListener(context, endpoint.name, session, who, push),
				end: () => link.hangUp(),
			});
		states.of(session.id).push = new SsePush(link, listen);
	}
}

/** Where clients of an endpoint post. */
function messagePath({ name }: Endpoint): string {
	return name === combined_endpoint ? "/message" : `/${name}/message`;
}

function idOf(message: Message): string {
	return rawText(message.bytes, message.id as Span);
}
