import type { Direction } from "../support/wire-schema.ts";
import { Conversation } from "./conversation.ts";
import { EventData } from "./event-data.ts";

/** Takes what is wrong on a hop. */
export type Complain = (direction: Direction, complaint: string, text: string) => void;

/** The head of one HTTP request. */
export interface SeenHead {
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	readonly session: string | undefined;
	/** What the header says of the revision. */
	readonly declared: string | undefined;
}

/** The conversations on the HTTP hop to one origin, by what their messages are told apart with. */
export class HttpConversations {
	readonly complain: Complain;
	readonly #known = new Map<string, Conversation>();

	constructor(complain: Complain) {
		this.complain = complain;
	}

	/** The conversation a request belongs to: its session's, its SSE connection's, or its own. */
	of({ session, path, declared }: SeenHead): Conversation {
		if (session === undefined) return this.#known.get(path) ?? new Conversation(declared);
		const known = this.#known.get(session) ?? new Conversation(declared);
		this.#known.set(session, known);
		return known;
	}

	/** From now on the key, a session id or a path, stands for this conversation. */
	keep(key: string, conversation: Conversation): void {
		this.#known.set(key, conversation);
	}
}

/** One HTTP exchange, fed with what is seen of it. */
export class HttpExchange {
	readonly #hop: HttpConversations;
	readonly #conversation: Conversation;
	readonly #path: string;
	#events: EventData | undefined;
	#json: Buffer[] | undefined;

	constructor(hop: HttpConversations, head: SeenHead) {
		this.#hop = hop;
		this.#path = head.path;
		this.#conversation = hop.of(head);
	}

	/** The whole body of a POST. */
	posted(body: Buffer): void {
		this.#said("to-server", body.toString("utf8"));
	}

	/** The head of the answer. */
	answered(type: string, session: string | undefined): void {
		if (session !== undefined) this.#hop.keep(session, this.#conversation);
		if (type.startsWith("application/json")) this.#json = [];
		if (!type.startsWith("text/event-stream")) return;
		this.#events = new EventData(({ event, data }) => {
			if (event !== "endpoint") this.#said("to-client", data);
			else {
				const { pathname, search } = new URL(data.trim(), `http://x${this.#path}`);
				this.#hop.keep(`${pathname}${search}`, this.#conversation);
			}
		});
	}

	data(chunk: Buffer): void {
		this.#events?.push(chunk);
		this.#json?.push(chunk);
	}

	ended(): void {
		const text = Buffer.concat(this.#json ?? []).toString("utf8");
		this.#json = undefined;
		if (text !== "") this.#said("to-client", text);
	}

	#said(direction: Direction, text: string): void {
		const complaint = this.#conversation.said(direction, text);
		if (complaint !== undefined) this.#hop.complain(direction, complaint, text);
	}
}
