import type { Timer } from "../../lib/clock.ts";
import { fail, succeed } from "../../lib/result.ts";
import { SseReader, type SseReceived } from "../../wire/sse.ts";
import type { PendingCall } from "../pending.ts";
import { type HttpSession, postHeaders, streamHeaders } from "./headers.ts";
import type { HttpLink } from "./link.ts";
import { isUnauthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { isNotHttp, networkReason, statusAdvice } from "./reasons.ts";
import { isSessionLost, readRefusal } from "./refusal.ts";
import type { Exchange, ExchangeHandler, Headers } from "./remote.ts";

/** Longest body of a refusal that is read. */
const refusal_bytes_max = 65_536;
/** How long a server may keep a stream open behind the reply that ends it. */
const stream_linger_ms = 2_000;
/** Wait before a broken stream is resumed, when the server has not said. */
const resume_ms = 1_000;
const resume_ms_min = 10;
const resume_ms_max = 30_000;
/** Resumptions in a row that may fail to connect. */
const resume_failures_max = 5;

/**
 * One call over HTTP: the POST, its answer as JSON or as a stream of events, and where the
 * legacy transport allows it, the stream resumed or the lost session replaced.
 */
export class CallRun implements ExchangeHandler {
	/** Status of the last answer; 0 while there is none. */
	status = 0;
	/** How the connection was lost, if that ended the call; continues "it ...". */
	lost: string | undefined = undefined;
	/** Headers of the last answer. */
	headers: Headers = {};
	readonly #link: HttpLink;
	readonly #call: PendingCall;
	readonly #bytes: Buffer;
	#session: HttpSession;
	#exchange: Exchange | undefined;
	#reader: SseReader | undefined;
	#body: Buffer[] = [];
	#body_bytes = 0;
	#last_event_id: string | undefined;
	#retry_ms = resume_ms;
	#resumptions = 0;
	#resume_failures = 0;
	#renewed = false;
	#token: string | undefined;
	#auth_rounds = 0;
	#own_headers: readonly string[] = [];
	#refilled = false;
	#timer: Timer | undefined;

	constructor(link: HttpLink, call: PendingCall, bytes: Buffer) {
		this.#link = link;
		this.#call = call;
		this.#bytes = bytes;
		this.#session = link.session;
	}

	/** Begins, in the session given or the link's own. */
	start(session: HttpSession = this.#link.session): void {
		// By a name, as in `PendingCalls.add`.
		const stop = () => this.#stop();
		this.#call.stop = stop;
		this.#post(session);
	}

	onSent(): void {
		this.#call.written = true;
	}

	onHead(status: number, headers: Headers): void {
		this.status = status;
		this.headers = headers;
		const type = String(headers["content-type"] ?? "");
		if (status >= 300 || !type.startsWith("text/event-stream")) return;
		this.#reader = new SseReader({
			event_bytes_max: this.#link.context.reply_bytes_max,
			onEvent: (event) => this.#onEvent(event),
			onRetry: (retry_ms) => {
				this.#retry_ms = Math.min(Math.max(retry_ms, resume_ms_min), resume_ms_max);
			},
			onOversize: () => this.#tooLarge(),
		});
	}

	onData(chunk: Buffer): void {
		if (this.#reader !== undefined) {
			this.#reader.push(chunk);
			if (this.#call.settled) this.#lingerAtMost();
			else this.#holdBack();
			return;
		}
		this.#body_bytes += chunk.length;
		const refused = this.status >= 300;
		const limit_bytes = refused ? refusal_bytes_max : this.#link.context.reply_bytes_max;
		if (this.#body_bytes <= limit_bytes) this.#body.push(chunk);
		else if (!refused) this.#tooLarge();
		else this.#exchange?.abort();
	}

	onEnd(): void {
		this.#timer?.cancel();
		if (this.#call.settled) return;
		if (this.#reader !== undefined) {
			this.#reader.end();
			this.#resume("closed the stream of the call without a reply");
		} else if (this.status >= 300) this.#refused();
		else if (this.#resumptions > 0) this.#lost("did not resume the stream of the call");
		else this.#replied(Buffer.concat(this.#body));
	}

	onError(error: Error): void {
		this.#timer?.cancel();
		if (this.#call.settled) return;
		const { faults, remote, pending } = this.#link;
		if (this.status >= 300) {
			this.#refused();
		} else if (!this.#call.written) {
			const fault = faults.unreachable(remote.origin, networkReason(error), this.#call);
			pending.settle(this.#call, fail(fault));
		} else {
			const reason = isNotHttp(error) ? "does not speak HTTP" : "broke the connection";
			this.#resume(reason, this.#resumptions > 0 && this.status === 0);
		}
	}

	/**
	 * Reads no further while the client is behind: the connection fills up, and the server's next
	 * word has to wait. That time is the client's and not the server's, as with a question.
	 */
	#holdBack(): void {
		const call = this.#call;
		const caught_up = call.request.backlog?.();
		if (caught_up === undefined) return;
		const exchange = this.#exchange;
		const { pending } = this.#link;
		exchange?.pause();
		if (call.is_held) return;
		pending.held(call);
		void caught_up.then(() => {
			pending.letGo(call);
			exchange?.resume();
		});
	}

	#post(session: HttpSession): void {
		this.#session = session;
		this.#begin();
		this.#token = this.#link.auth?.token;
		this.#own_headers = this.#link.own_headers;
		const headers = postHeaders(this.#link.configured, session, this.#call.request);
		const request = { method: "POST" as const, headers, body: this.#bytes };
		this.#exchange = this.#link.remote.send("calls", request, this);
	}

	#begin(): void {
		this.status = 0;
		this.#reader = undefined;
		this.#body = [];
		this.#body_bytes = 0;
	}

	#stop(): void {
		this.#timer?.cancel();
		this.#exchange?.abort();
	}

	#onEvent({ event, data, id }: SseReceived): void {
		if (id !== undefined) this.#last_event_id = id;
		this.#resume_failures = 0;
		// An event without data only gives an id to resume from.
		if (event !== "message" || data.length === 0) return;
		const outcome = this.#link.inbound.receive(data, this.#call);
		if (!outcome.ok) this.#link.context.onLine("odd", "sent an event that is not a message");
	}

	#replied(body: Buffer): void {
		const { inbound, pending, faults } = this.#link;
		const outcome = body.length === 0 ? succeed(undefined) : inbound.receive(body, this.#call);
		if (this.#call.settled) return;
		const what = outcome.ok
			? `answered with HTTP ${this.status} and without a reply`
			: "sent a reply that is not a valid message";
		const detail = outcome.ok ? undefined : outcome.problem.message;
		pending.settle(this.#call, fail(faults.protocol(what, this.#call, detail)));
	}

	#tooLarge(): void {
		const { pending, faults, context } = this.#link;
		pending.settle(this.#call, fail(faults.tooLarge(context.reply_bytes_max, this.#call)));
		this.#exchange?.abort();
	}

	/** The reply is here; a server that leaves the stream open holds one of our connections. */
	#lingerAtMost(): void {
		this.#timer ??= this.#link.context.clock.afterIdle(stream_linger_ms, () => {
			this.#exchange?.abort();
		});
	}

	/** The server has let go of the stream: legacy servers can be asked for the rest of it. */
	#resume(reason: string, failed = false): void {
		if (failed) this.#resume_failures += 1;
		const resumable = this.#session.era === "legacy" && this.#last_event_id !== undefined;
		if (!resumable || this.#resume_failures >= resume_failures_max) {
			this.#lost(reason);
			return;
		}
		const delay_ms = Math.min(this.#retry_ms * 2 ** this.#resume_failures, resume_ms_max);
		this.#timer = this.#link.context.clock.after(delay_ms, () => {
			this.#timer = undefined;
			this.#resumptions += 1;
			this.#takeUp();
		});
	}

	#takeUp(): void {
		this.#begin();
		this.#token = this.#link.auth?.token;
		const { configured, remote } = this.#link;
		this.#own_headers = this.#link.own_headers;
		const headers = streamHeaders(configured, this.#session, this.#last_event_id);
		this.#exchange = remote.send("calls", { method: "GET", headers, body: undefined }, this);
	}

	#lost(reason: string): void {
		this.lost = reason;
		const { pending, faults } = this.#link;
		pending.settle(this.#call, fail(faults.exited(this.#call, reason)));
	}

	#refused(): void {
		const { auth, pending } = this.#link;
		if (auth !== undefined && isUnauthorized(this.status)) {
			void this.#authorize(auth);
			return;
		}
		if (!this.#refilled && isUnauthorized(this.status)) {
			void this.#refill();
			return;
		}
		if (this.#resumptions > 0) {
			this.#lost("did not resume the stream of the call");
			return;
		}
		const error = readRefusal(Buffer.concat(this.#body), this.#call.id);
		if (!this.#renewed && isSessionLost(this.status, error, this.#session)) {
			void this.#again();
			return;
		}
		if (error?.is_reply === true) {
			pending.settle(this.#call, succeed(error.message));
			return;
		}
		this.#rejected();
	}

	#rejected(): void {
		const { pending, faults, remote } = this.#link;
		const location = this.headers["location"];
		const advice = statusAdvice(this.status, typeof location === "string" ? location : undefined);
		pending.settle(
			this.#call,
			fail(faults.rejected(remote.origin, this.status, advice, this.#call)),
		);
	}

	/** The server did not carry the request out: it is made again once we are authorized. */
	async #authorize(auth: UpstreamAuth): Promise<void> {
		const { status, headers } = this;
		const call = { status, headers, token: this.#token, rounds: this.#auth_rounds };
		const outcome = await auth.onRefused(call);
		if (this.#call.settled) return;
		if (outcome.ok && outcome.value === "retry") {
			this.#auth_rounds += 1;
			if (this.#resumptions > 0) this.#takeUp();
			else {
				this.#call.written = false;
				this.#post(this.#session);
			}
		} else if (this.#resumptions > 0) this.#lost("did not resume the stream of the call");
		else if (outcome.ok) this.#rejected();
		else {
			const { faults, pending, remote } = this.#link;
			const fault = faults.unauthorized(remote.origin, outcome.problem, this.#call);
			pending.settle(this.#call, fail(fault));
		}
	}

	/** A value in its headers may be another by now: then it is made once more with that. */
	async #refill(): Promise<void> {
		this.#refilled = true;
		const changed = await this.#link.refill(this.#own_headers);
		if (this.#call.settled) return;
		if (!changed) this.#refused();
		else if (this.#resumptions > 0) this.#takeUp();
		else {
			this.#call.written = false;
			this.#post(this.#session);
		}
	}

	/** The request was not accepted for want of a session: it is made once more in a new one. */
	async #again(): Promise<void> {
		this.#renewed = true;
		this.#call.written = false;
		const session = await this.#link.renew(this.#session);
		if (this.#call.settled) return;
		if (session.ok) this.#post(session.value);
		else this.#link.pending.settle(this.#call, session);
	}
}
