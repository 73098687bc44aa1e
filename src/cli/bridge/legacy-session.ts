import { type Clock, sleep } from "../../lib/clock.ts";
import { header_names } from "../../protocol/headers.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message, Span } from "../../wire/message.ts";
import { memberSpan, readString } from "../../wire/object.ts";
import { applyEdits, replaceSpan } from "../../wire/splice.ts";
import type { Link, LinkResponse } from "./link.ts";
import { isEventStream, readBody, readEvents } from "./read-reply.ts";

/** What a legacy session needs. */
export interface SessionOptions {
	readonly clock: Clock;
	readonly link: Link;
	/** Ends everything. */
	readonly signal: AbortSignal;
	/** The client has closed its end: no more pushes, while calls still finish. */
	readonly closing: AbortSignal;
	/** Takes a message the server pushed. */
	onPush(message: Buffer): Promise<void>;
	note(text: string): void;
}

/** The id of the handshake that is repeated behind the client's back; any id will do. */
const renewal_id = '"moorage-stdio-renewal"';
const reopen_ms = 1_000;
const reopen_max_ms = 30_000;

/**
 * The session of a legacy client. The client on standard streams knows nothing of it: the id is
 * kept here, the stream of pushes is held open here, and a session that the gateway no longer
 * knows is opened anew with the client's own handshake.
 */
export class LegacySession {
	readonly #options: SessionOptions;
	#id: string | undefined;
	#revision: string | undefined;
	#initialize: Message | undefined;
	#initialized: Message | undefined;
	#renewing: Promise<boolean> | undefined;
	#pushes: AbortController | undefined;

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** The session's id; undefined when there is none. */
	get id(): string | undefined {
		return this.#id;
	}

	/** Headers of a message within the session. */
	headers(): Record<string, string> {
		return {
			...(this.#id === undefined ? {} : { [header_names.session_id]: this.#id }),
			...(this.#revision === undefined ? {} : { [header_names.protocol_version]: this.#revision }),
		};
	}

	/** The client begins anew: an earlier session is over. */
	begin(initialize: Message): void {
		this.#pushes?.abort();
		this.#id = undefined;
		this.#revision = undefined;
		this.#initialize = initialize;
		this.#initialized = undefined;
	}

	/** Takes what the answer to `initialize` says of the session. */
	opened(response: LinkResponse, answer: Message): void {
		if (answer.result === undefined) return;
		const id = response.headers[header_names.session_id];
		this.#id = Array.isArray(id) ? id[0] : id;
		this.#revision = readString(answer.bytes, memberSpan(answer.result, "protocolVersion"));
	}

	/** The client has said that it is ready; the gateway may push from now on. */
	ready(initialized: Message): void {
		this.#initialized = initialized;
		this.#listen();
	}

	/**
	 * Opens a new session in place of one the gateway does not know any more. Several requests
	 * that find out at once share one renewal.
	 * @returns whether there is a session again
	 */
	async renew(lost_id: string): Promise<boolean> {
		if (this.#id !== lost_id) return this.#id !== undefined;
		this.#renewing ??= this.#renew().finally(() => {
			this.#renewing = undefined;
		});
		return this.#renewing;
	}

	/** Ends the session on the gateway too, as far as that is possible. */
	async end(signal: AbortSignal): Promise<void> {
		this.#pushes?.abort();
		if (this.#id === undefined) return;
		const headers = this.headers();
		this.#id = undefined;
		const { link } = this.#options;
		const sent = await link.send({ method: "DELETE", headers, signal, repeatable: false });
		if (sent.ok) await readBody(sent.value);
	}

	async #renew(): Promise<boolean> {
		const initialize = this.#initialize;
		if (initialize === undefined) return false;
		this.#options.note("The gateway no longer knows this session; opening a new one.");
		const bytes = applyEdits(initialize.bytes, [replaceSpan(initialize.id as Span, renewal_id)]);
		const sent = await this.#post(bytes, {});
		if (!sent.ok) return false;
		const answer = await readAnswer(sent.value);
		if (answer?.result === undefined) return false;
		this.opened(sent.value, answer);
		if (this.#initialized !== undefined) {
			const told = await this.#post(this.#initialized.bytes, this.headers());
			if (told.ok) await readBody(told.value);
			this.#listen();
		}
		return this.#id !== undefined;
	}

	#post(body: Buffer, headers: Record<string, string>) {
		const { link, signal } = this.#options;
		return link.send({
			method: "POST",
			headers: { ...json_headers, ...headers },
			body,
			signal,
			repeatable: true,
		});
	}

	#listen(): void {
		this.#pushes?.abort();
		if (this.#id === undefined) return;
		this.#pushes = new AbortController();
		const { signal: over, closing } = this.#options;
		const signal = AbortSignal.any([this.#pushes.signal, closing, over]);
		// The loop ends with its signal and has nobody to report to.
		void this.#readPushes(this.#id, signal).catch((error: unknown) => {
			this.#options.note(`The stream of notifications ended: ${String(error)}`);
		});
	}

	/** Keeps the stream of pushes open for as long as this session is the current one. */
	async #readPushes(id: string, signal: AbortSignal): Promise<void> {
		const { link, clock } = this.#options;
		let last_event_id: string | undefined;
		let pause_ms = reopen_ms;
		while (!signal.aborted) {
			const headers = {
				...this.headers(),
				accept: "text/event-stream",
				...(last_event_id === undefined ? {} : { [header_names.last_event_id]: last_event_id }),
			};
			const sent = await link.send({ method: "GET", headers, signal, repeatable: true });
			if (sent.ok && isEventStream(sent.value) && sent.value.status === 200) {
				const end = await readEvents(sent.value, (data) => this.#options.onPush(data));
				last_event_id = end.last_event_id ?? last_event_id;
				pause_ms = end.retry_ms ?? reopen_ms;
			} else if (sent.ok) {
				await readBody(sent.value);
				// No pushes here, or the session is gone: the next request finds out and renews it.
				if (sent.value.status === 405) return;
				if (sent.value.status === 404) {
					await this.renew(id);
					return;
				}
				pause_ms = Math.min(pause_ms * 2, reopen_max_ms);
			}
			await sleep(clock, pause_ms, signal).catch(() => undefined);
		}
	}
}

/** Headers of every posted message. */
export const json_headers = {
	"content-type": "application/json",
	accept: "application/json, text/event-stream",
} as const;

/** The answer in a response, whichever form it has. */
async function readAnswer(response: LinkResponse): Promise<Message | undefined> {
	if (!isEventStream(response)) {
		const body = await readBody(response);
		return body === undefined ? undefined : answerOf(body);
	}
	let answer: Message | undefined;
	await readEvents(response, async (data) => {
		answer ??= answerOf(data);
	});
	return answer;
}

function answerOf(bytes: Buffer): Message | undefined {
	const indexed = indexMessage(bytes);
	return indexed.ok && indexed.value.kind !== "request" && indexed.value.kind !== "notification"
		? indexed.value
		: undefined;
}
