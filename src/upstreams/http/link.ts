import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { OpenAsks } from "../asks.ts";
import type { DriverContext } from "../driver.ts";
import { UpstreamFaults } from "../faults.ts";
import { Inbound } from "../inbound.ts";
import { type PendingCall, PendingCalls } from "../pending.ts";
import { configuredHeaders, type HttpSession, postHeaders, streamHeaders } from "./headers.ts";
import { sendAuthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { once, type Reply } from "./once.ts";
import { Remote } from "./remote.ts";

/** Notifications and answers under way at a time; further notifications are dropped. */
const posts_max = 256;

/** Values that a server refuses are asked for anew no more often than this. */
const refill_ms_min = 5_000;

/** What a link is made of. */
export interface LinkOptions {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly context: DriverContext;
	/** Our authorization there, where it wants one. */
	readonly auth?: UpstreamAuth | undefined;
}

/** Everything that the exchanges of one connection to a remote server share. */
export class HttpLink {
	readonly context: DriverContext;
	readonly remote: Remote;
	readonly faults: UpstreamFaults;
	readonly pending: PendingCalls;
	readonly asks: OpenAsks;
	readonly inbound: Inbound;
	readonly auth: UpstreamAuth | undefined;
	#configured: readonly string[];
	session: HttpSession = { era: "legacy", revision: undefined, id: undefined };
	/** Makes a new session in place of a lost one; set once the first handshake is done. */
	handshake: (() => Promise<Result<HttpSession, Fault>>) | undefined = undefined;
	is_closed = false;
	/** True when the server refused the handshake as one of the HTTP+SSE transport does. */
	may_be_sse = false;
	#posts = 0;
	#renewing: Promise<Result<HttpSession, Fault>> | undefined;
	#refilling: Promise<void> | undefined;
	#refilled_at_ms: number | undefined;

	constructor({ url, headers, context, auth }: LinkOptions) {
		const { clock, random, server, start_ms } = context;
		this.context = context;
		this.remote = new Remote(url, start_ms);
		this.auth = auth;
		this.#configured = configuredHeaders(headers, auth !== undefined);
		const faults = new UpstreamFaults(server, random);
		this.faults = faults;
		const onGivenUp = (call: PendingCall) => this.#tellCancelled(call);
		const pending = new PendingCalls({ clock, faults, onGivenUp });
		const send = (bytes: Buffer) => this.post(bytes, "an answer");
		const asks = new OpenAsks({ send });
		this.pending = pending;
		this.asks = asks;
		this.inbound = new Inbound({ context, pending, asks, faults, send });
	}

	/** Headers of every request that goes out now: as configured, and the token we have. */
	get configured(): readonly string[] {
		if (this.auth === undefined) return this.#configured;
		return [...this.#configured, ...this.auth.headers()];
	}

	/** The configured headers as they are now; another list once they are others. */
	get own_headers(): readonly string[] {
		return this.#configured;
	}

	/** Sends these from the next request on. */
	useHeaders(headers: Readonly<Record<string, string>>): void {
		const next = configuredHeaders(headers, this.auth !== undefined);
		const is_same =
			next.length === this.#configured.length &&
			next.every((text, index) => text === this.#configured[index]);
		if (!is_same) this.#configured = next;
	}

	/**
	 * Whether there are other configured headers than those that were refused, asked for anew if
	 * need be. Many calls find that out at once; they are asked for once, and not again and again.
	 */
	async refill(refused: readonly string[]): Promise<boolean> {
		const { clock, freshHeaders } = this.context;
		if (this.#configured !== refused || freshHeaders === undefined) {
			return this.#configured !== refused;
		}
		const now_ms = clock.monotonic();
		const is_early = now_ms - (this.#refilled_at_ms ?? Number.NEGATIVE_INFINITY) < refill_ms_min;
		if (this.#refilling === undefined && is_early) return false;
		this.#refilling ??= freshHeaders()
			.then((headers) => headers && this.useHeaders(headers))
			// Who was refused hears of that; no call may be left without an answer for it.
			.catch(() => undefined)
			.finally(() => {
				this.#refilling = undefined;
				this.#refilled_at_ms = clock.monotonic();
			});
		await this.#refilling;
		return this.#configured !== refused;
	}

	/** Sends a message that has no reply; what goes wrong becomes a line in the server's log. */
	post(bytes: Buffer, what: string): void {
		if (this.is_closed) return;
		if (this.#posts >= posts_max) {
			this.context.onLine("event", `${what} was not sent: too much is under way to this server`);
			return;
		}
		this.#posts += 1;
		void this.postAndWait(bytes).then((reply) => {
			this.#posts -= 1;
			if (this.is_closed || (reply.ok && reply.value.status < 300)) return;
			const why = reply.ok ? `HTTP ${reply.value.status}` : reply.problem;
			this.context.onLine("event", `${what} was not accepted (${why})`);
		});
	}

	/** Sends a message that has no reply, and waits until it has been accepted. */
	postAndWait(bytes: Buffer, session = this.session): Promise<Result<Reply, string>> {
		return sendAuthorized(this.auth, () => {
			const headers = postHeaders(this.configured, session, undefined);
			return once(this.remote, { method: "POST", headers, body: bytes });
		});
	}

	/** Tells the server that the session is over, where it has one. */
	async endSession(): Promise<void> {
		if (this.session.id === undefined) return;
		// Nobody is asked to authorize that something may end.
		const headers = streamHeaders(this.configured, this.session, undefined);
		await once(this.remote, { method: "DELETE", headers, body: undefined });
	}

	/**
	 * Replaces a session that the server has forgotten. Many calls find that out at once; the
	 * handshake is made once, and those that come late get its outcome.
	 */
	async renew(lost: HttpSession): Promise<Result<HttpSession, Fault>> {
		if (this.session !== lost) return succeed(this.session);
		if (this.handshake === undefined || this.is_closed) return fail(this.faults.gone());
		this.#renewing ??= this.#renew(this.handshake);
		return this.#renewing;
	}

	async #renew(
		handshake: () => Promise<Result<HttpSession, Fault>>,
	): Promise<Result<HttpSession, Fault>> {
		this.context.onLine("event", "the server has forgotten the session; a new one is made");
		// What it asked in the old one went with it; a new session counts its ids anew.
		this.asks.close();
		const outcome = await handshake();
		this.#renewing = undefined;
		if (outcome.ok) this.session = outcome.value;
		return outcome;
	}

	/** A modern server hears of it by the closed stream; a legacy one must be told. */
	#tellCancelled(call: PendingCall): void {
		const { method } = call.request.message;
		if (!call.written || this.session.era === "modern" || method === "initialize") return;
		const params = `{"requestId":${call.id},"reason":"The call was given up."}`;
		const text = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`;
		this.post(Buffer.from(text), "a cancellation");
	}
}
