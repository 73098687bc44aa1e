import type { Timer } from "../../lib/clock.ts";
import { SseReader } from "../../wire/sse.ts";
import { type HttpSession, streamHeaders } from "./headers.ts";
import type { HttpLink } from "./link.ts";
import { isUnauthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import type { Exchange, ExchangeHandler, Headers } from "./remote.ts";

/** How long the first answer is waited for before calls are let through. */
const answer_ms_max = 1_000;
const reopen_ms = 1_000;
const reopen_ms_min = 10;
const reopen_ms_max = 60_000;

/**
 * The stream of one session on which a legacy server sends what belongs to no call
 * (transports, listening for messages). A server need not offer it. One that breaks is opened
 * again from where it broke, later and later as long as nothing comes on it.
 */
export class PushStream implements ExchangeHandler {
	readonly #link: HttpLink;
	readonly #session: HttpSession;
	#exchange: Exchange | undefined;
	#reader: SseReader | undefined;
	#timer: Timer | undefined;
	#status = 0;
	#headers: Headers = {};
	#token: string | undefined;
	#auth_rounds = 0;
	#was_open = false;
	#last_event_id: string | undefined;
	#retry_ms = reopen_ms;
	#failures = 0;
	#stopped = false;
	#answered: (() => void) | undefined;

	constructor(link: HttpLink, session: HttpSession) {
		this.#link = link;
		this.#session = session;
	}

	/**
	 * Opens the stream. Resolves when the server has said whether there is one: until then many
	 * servers drop what they would send on it, and with it a question that a call waits for.
	 */
	async start(): Promise<void> {
		const { clock } = this.#link.context;
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = clock.after(answer_ms_max, resolve);
		this.#answered = resolve;
		this.#open();
		await promise;
		timer.cancel();
	}

	#open(): void {
		if (this.#stopped) return;
		this.#status = 0;
		this.#reader = undefined;
		const { configured, remote, auth } = this.#link;
		this.#token = auth?.token;
		const headers = streamHeaders(configured, this.#session, this.#last_event_id);
		this.#exchange = remote.send("control", { method: "GET", headers, body: undefined }, this);
	}

	/** Closes the stream for good. */
	stop(): void {
		this.#stopped = true;
		this.#answered?.();
		this.#timer?.cancel();
		this.#exchange?.abort();
	}

	onSent(): void {}

	onHead(status: number, headers: Headers): void {
		this.#status = status;
		this.#headers = headers;
		const type = String(headers["content-type"] ?? "");
		if (status !== 200 || !type.startsWith("text/event-stream")) return;
		this.#was_open = true;
		this.#auth_rounds = 0;
		this.#answered?.();
		const { context, inbound } = this.#link;
		this.#reader = new SseReader({
			event_bytes_max: context.reply_bytes_max,
			onEvent: ({ event, data, id }) => {
				this.#failures = 0;
				this.#last_event_id = id;
				if (event !== "message" || data.length === 0 || this.#stopped) return;
				const outcome = inbound.receive(data, undefined);
				if (!outcome.ok) context.onLine("odd", "sent an event that is not a message");
			},
			onRetry: (retry_ms) => {
				this.#retry_ms = Math.min(Math.max(retry_ms, reopen_ms_min), reopen_ms_max);
			},
			onOversize: () => context.onLine("odd", "sent an event that is over the limit"),
		});
	}

	onData(chunk: Buffer): void {
		// What is not a stream is of no interest, however long it is.
		if (this.#reader === undefined) this.#exchange?.abort();
		else this.#reader.push(chunk);
	}

	onEnd(): void {
		this.#ended();
	}

	onError(): void {
		this.#ended();
	}

	#ended(): void {
		const { auth } = this.#link;
		if (auth !== undefined && isUnauthorized(this.#status) && !this.#stopped) {
			void this.#authorize(auth);
			return;
		}
		this.#answered?.();
		if (this.#stopped) return;
		const broke = this.#reader !== undefined;
		const unavailable = this.#status === 0 || this.#status >= 500;
		if (broke || unavailable) this.#reopen();
		else if (this.#status === 404 && this.#was_open) void this.#link.renew(this.#session);
		// Anything else says that there is no such stream here.
	}

	/** Other calls may have got another token, or this stream is what one is wanted for. */
	async #authorize(auth: UpstreamAuth): Promise<void> {
		const refused = { status: this.#status, headers: this.#headers, token: this.#token };
		const outcome = await auth.onRefused({ ...refused, rounds: this.#auth_rounds });
		this.#auth_rounds += 1;
		if (outcome.ok && outcome.value === "retry") this.#open();
		else {
			this.#answered?.();
			const why = outcome.ok ? `HTTP ${refused.status}` : outcome.problem.advice;
			this.#link.context.onLine("event", `the stream of messages was refused (${why})`);
		}
	}

	#reopen(): void {
		const { clock, random } = this.#link.context;
		const delay_ms = Math.min(this.#retry_ms * 2 ** this.#failures, reopen_ms_max);
		this.#failures += 1;
		// Half of the delay is chance, so that many gateways do not come back at once.
		const jittered_ms = delay_ms * (0.5 + 0.5 * random.fraction());
		this.#timer = clock.afterIdle(jittered_ms, () => this.#open());
	}
}
