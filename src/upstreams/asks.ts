import { rpc_codes } from "../protocol/codes.ts";
import { composeError } from "../wire/compose.ts";
import type { Message } from "../wire/message.ts";
import { rawText } from "../wire/object.ts";
import type { AskOutcome, UpstreamAsk } from "./driver.ts";

/** Requests of one server that may wait for an answer at a time. */
const asks_max = 256;

/** How a server's requests are answered. */
export interface AsksOptions {
	/** Sends a response to the server. */
	send(bytes: Buffer): void;
}

interface OpenAsk {
	readonly controller: AbortController;
	readonly closed: () => void;
	/** What was given out for it. */
	handed: UpstreamAsk | undefined;
}

const given_up = JSON.stringify({
	code: rpc_codes.internal_error,
	message: "The call that this request came of has ended.",
});

/** The requests that a server waits to have answered on one connection. */
export class OpenAsks {
	readonly #options: AsksOptions;
	/** By the server's own raw id. */
	readonly #open = new Map<string, OpenAsk>();

	constructor(options: AsksOptions) {
		this.#options = options;
	}

	/**
	 * Takes a request of the server. Undefined when it was refused here, because too many are
	 * open or its id is in use. `closed` is called once, when nobody waits for it any more.
	 */
	open(message: Message, closed: () => void): UpstreamAsk | undefined {
		const id = rawId(message);
		if (this.#open.has(id)) {
			this.refuse(message, rpc_codes.invalid_request, "This request id is already in use.");
			return undefined;
		}
		if (this.#open.size >= asks_max) {
			this.refuse(message, rpc_codes.internal_error, "Too many requests wait for an answer.");
			return undefined;
		}
		const controller = new AbortController();
		const ask: OpenAsk = { controller, closed, handed: undefined };
		this.#open.set(id, ask);
		const answer = (outcome: AskOutcome) => {
			// A withdrawn or answered request, or a later one that reuses its id, is not ours.
			if (this.#open.get(id) !== ask) return;
			this.#open.delete(id);
			this.#options.send(response(id, outcome));
			closed();
		};
		ask.handed = { message, answer, signal: controller.signal };
		return ask.handed;
	}

	/**
	 * The call that a request came of is over: nobody answers it any more, and its id is free. A
	 * server that still waits on the same channel is told; one that is asked over a stream of the
	 * call hears of its end by that stream, and an answer could meet another request of this id.
	 */
	abandon(ask: UpstreamAsk, tell_server: boolean): void {
		const id = rawId(ask.message);
		if (this.#open.get(id)?.handed !== ask) return;
		if (tell_server) this.#options.send(response(id, { kind: "error", json: given_up }));
		this.withdraw(id);
	}

	/** Answers a request with an error at once. */
	refuse(message: Message, code: number, text: string): void {
		this.#options.send(composeError(rawId(message), code, text));
	}

	/** The server takes a request back; an answer to it is not sent any more. */
	withdraw(id: string): void {
		const ask = this.#open.get(id);
		if (ask === undefined) return;
		this.#open.delete(id);
		ask.closed();
		ask.controller.abort(new Error("nobody waits for the answer any more"));
	}

	/** The server is gone: nothing can be answered any more. */
	close(): void {
		for (const id of [...this.#open.keys()]) this.withdraw(id);
	}
}

function rawId(message: Message): string {
	return message.id === undefined ? "null" : rawText(message.bytes, message.id);
}

function response(id: string, outcome: AskOutcome): Buffer {
	const head = Buffer.from(`{"jsonrpc":"2.0","id":${id},"${outcome.kind}":`);
	const { json } = outcome;
	const body = typeof json === "string" ? Buffer.from(json) : json;
	return Buffer.concat([head, body, Buffer.from("}")]);
}
