import { fail, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { UpstreamFaults } from "../faults.ts";
import type { PendingCall, PendingCalls } from "../pending.ts";
import { isUnauthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { networkReason, statusAdvice } from "./reasons.ts";
import { isSessionLost, readRefusal } from "./refusal.ts";
import type { Exchange, ExchangeHandler, Headers, Remote } from "./remote.ts";

/** Longest body of a refusal that is read. */
const refusal_bytes_max = 65_536;

/** What the posting of a call needs. */
export interface SsePostOptions {
	readonly remote: Remote;
	readonly faults: UpstreamFaults;
	readonly pending: PendingCalls;
	readonly call: PendingCall;
	readonly bytes: Buffer;
	readonly path: string;
	/** Those of a request that goes out now. */
	headers(): string[];
	readonly auth: UpstreamAuth | undefined;
	/** The server does not know the connection any more; the call has not been accepted. */
	onLost(): void;
}

/** One call over HTTP+SSE: it is posted here, its reply comes on the connection's stream. */
export class SsePost implements ExchangeHandler {
	readonly #options: SsePostOptions;
	#exchange: Exchange | undefined;
	#status = 0;
	#headers: Headers = {};
	#body: Buffer[] = [];
	#body_bytes = 0;
	#token: string | undefined;
	#auth_rounds = 0;

	constructor(options: SsePostOptions) {
		this.#options = options;
	}

	start(): void {
		const { remote, call, bytes: body, path, auth } = this.#options;
		this.#status = 0;
		this.#body = [];
		this.#body_bytes = 0;
		this.#token = auth?.token;
		const headers = this.#options.headers();
		// By a name, as in `PendingCalls.add`.
		const stop = () => this.#exchange?.abort();
		call.stop = stop;
		this.#exchange = remote.send("calls", { method: "POST", path, headers, body }, this);
	}

	onSent(): void {
		this.#options.call.written = true;
	}

	onHead(status: number, headers: Headers): void {
		this.#status = status;
		this.#headers = headers;
	}

	onData(chunk: Buffer): void {
		this.#body_bytes += chunk.length;
		if (this.#body_bytes > refusal_bytes_max) this.#exchange?.abort();
		else if (this.#status >= 300) this.#body.push(chunk);
	}

	onEnd(): void {
		if (this.#status >= 300) this.#refused();
	}

	onError(error: Error): void {
		const { call, pending, faults, remote } = this.#options;
		if (call.settled || (this.#status > 0 && this.#status < 300)) return;
		if (this.#status >= 300) this.#refused();
		else if (call.written) pending.settle(call, fail(faults.exited(call, "broke the connection")));
		else {
			const fault = faults.unreachable(remote.origin, networkReason(error), call);
			pending.settle(call, fail(fault));
		}
	}

	#refused(): void {
		const { call, pending, faults, onLost, auth } = this.#options;
		if (call.settled) return;
		if (auth !== undefined && isUnauthorized(this.#status)) {
			void this.#authorize(auth);
			return;
		}
		const error = readRefusal(Buffer.concat(this.#body), call.id);
		const session = { era: "legacy", revision: undefined, id: "its stream" } as const;
		if (isSessionLost(this.#status, error, session)) {
			pending.settle(call, fail(faults.gone()));
			onLost();
		} else if (error?.is_reply === true) {
			pending.settle(call, succeed(error.message));
		} else {
			pending.settle(call, fail(this.#rejection()));
		}
	}

	#rejection(): Fault {
		const { call, faults, remote } = this.#options;
		const location = this.#headers["location"];
		const target = typeof location === "string" ? location : undefined;
		const advice = statusAdvice(this.#status, target);
		return faults.rejected(remote.origin, this.#status, advice, call);
	}

	/** The server did not take the call: it is posted again once we are authorized. */
	async #authorize(auth: UpstreamAuth): Promise<void> {
		const { call, pending, faults, remote } = this.#options;
		const refused = { status: this.#status, headers: this.#headers, token: this.#token };
		const outcome = await auth.onRefused({ ...refused, rounds: this.#auth_rounds });
		if (call.settled) return;
		this.#auth_rounds += 1;
		if (outcome.ok && outcome.value === "retry") {
			call.written = false;
			this.start();
		} else if (outcome.ok) pending.settle(call, fail(this.#rejection()));
		else pending.settle(call, fail(faults.unauthorized(remote.origin, outcome.problem, call)));
	}
}
