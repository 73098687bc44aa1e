import type { HttpSpec } from "../../config/plan.ts";
import { assert } from "../../lib/assert.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import { header_names } from "../../protocol/headers.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";
import { OpenAsks } from "../asks.ts";
import type { DriverContext, Hello, Upstream, UpstreamRequest } from "../driver.ts";
import { UpstreamFaults } from "../faults.ts";
import { composeInitialize, readHandshakeError, readInitialized } from "../handshake.ts";
import { Inbound } from "../inbound.ts";
import { progressToken, stampRequest } from "../outgoing.ts";
import { type Outcome, type PendingCall, PendingCalls } from "../pending.ts";
import { configuredHeaders } from "./headers.ts";
import { sendAuthorized } from "./oauth/authorized.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { once, type Reply } from "./once.ts";
import { Remote } from "./remote.ts";
import { SsePost } from "./sse-post.ts";
import { SseStream } from "./sse-stream.ts";

/** Notifications and answers under way at a time; further ones are dropped. */
const posts_max = 256;
/** Streams in a row that may break without a message on them. */
const breaks_max = 3;

const initialized = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** What a connection is made from. */
export interface SseOptions {
	readonly spec: HttpSpec;
	readonly context: DriverContext;
	/** Our authorization there, where it wants one. */
	readonly auth: UpstreamAuth | undefined;
	readonly wait_ms: number;
}

/** Connects to a server of the HTTP+SSE transport; it has answered its handshake then. */
export async function openSse(options: SseOptions): Promise<SseOutcome> {
	const upstream = new SseUpstream(options);
	const opened = await upstream.open(options.wait_ms);
	const { found } = upstream;
	if (opened.ok) return { found, outcome: succeed(upstream) };
	await upstream.close();
	return { found, outcome: opened };
}

/** What connecting comes to. */
export interface SseOutcome {
	/** True when the server speaks this transport, whatever else went wrong. */
	readonly found: boolean;
	readonly outcome: Result<Upstream, Fault>;
}

/**
 * A remote server of the transport of 2024-11-05: one stream for all that it sends, and an
 * address that messages are posted to. When the stream breaks nothing says what became of the
 * calls on their way; they end, and a new stream begins with a new handshake.
 */
class SseUpstream implements Upstream {
	readonly #context: DriverContext;
	readonly #remote: Remote;
	readonly #faults: UpstreamFaults;
	readonly #pending: PendingCalls;
	readonly #asks: OpenAsks;
	readonly #inbound: Inbound;
	#own_headers: readonly string[];
	readonly #auth: UpstreamAuth | undefined;
	#hello: Hello | undefined;
	#stream: SseStream | undefined;
	/** True once the server has shown that it speaks this transport. */
	found = false;
	#path = "";
	/** Runs while a broken stream is replaced. */
	#connecting: Promise<unknown> | undefined;
	#breaks = 0;
	#posts = 0;
	#closing: Promise<void> | undefined;

	constructor({ spec, context, auth }: SseOptions) {
		const { clock, random, server, start_ms } = context;
		const faults = new UpstreamFaults(server, random);
		const send = (bytes: Buffer) => this.#tell(bytes, "an answer");
		this.#context = context;
		this.#faults = faults;
		this.#remote = new Remote(spec.url, start_ms);
		this.#own_headers = configuredHeaders(spec.headers, auth !== undefined);
		this.#auth = auth;
		const onGivenUp = (call: PendingCall) => this.#tellCancelled(call);
		const pending = new PendingCalls({ clock, faults, onGivenUp });
		this.#pending = pending;
		this.#asks = new OpenAsks({ send });
		this.#inbound = new Inbound({ context, pending, asks: this.#asks, faults, send });
	}

	get hello(): Hello {
		assert(this.#hello !== undefined, "an upstream is given out once it is open");
		return this.#hello;
	}

	get in_flight(): number {
		return this.#pending.size;
	}

	/** Opens a stream and makes the handshake on it. */
	async open(wait_ms: number): Promise<Result<Hello, Fault>> {
		const started_ms = this.#context.clock.monotonic();
		const stream = new SseStream({
			remote: this.#remote,
			configured: () => this.#configured(),
			auth: this.#auth,
			context: this.#context,
			faults: this.#faults,
			onMessage: (data) => this.#receive(data),
			onOversize: () => this.#oversize(),
			onBroken: (broken, reason) => this.#broke(broken, reason),
		});
		this.#stream = stream;
		const path = await stream.open(wait_ms);
		if (!path.ok) return path;
		this.found = true;
		this.#path = path.value;
		const left_ms = wait_ms - (this.#context.clock.monotonic() - started_ms);
		const hello = await this.#initialize(Math.max(1, left_ms));
		if (hello.ok) this.#hello ??= hello.value;
		return hello;
	}

	request(request: UpstreamRequest): Promise<Outcome> {
		const faults = this.#faults;
		if (this.#closing !== undefined) return Promise.resolve(fail(faults.gone()));
		if (request.signal.aborted) {
			return Promise.resolve(fail(faults.cancelled({ request, written: false })));
		}
		if (this.#connecting === undefined) return this.#send(request).outcome;
		const call = this.#accept(request);
		void this.#connecting.then(() => {
			if (!call.settled) this.#post(call);
		});
		return call.outcome;
	}

	useHeaders(headers: Readonly<Record<string, string>>): void {
		this.#own_headers = configuredHeaders(headers, this.#auth !== undefined);
	}

	notify(message: Message, edits: readonly Edit[]): void {
		this.#tell(applyEdits(message.bytes, edits), "a notification");
	}

	drain(wait_ms: number): Promise<void> {
		return this.#pending.drain(wait_ms);
	}

	close(): Promise<void> {
		this.#closing ??= this.#close("was closed");
		return this.#closing;
	}

	#accept(request: UpstreamRequest): PendingCall {
		const call = this.#pending.add(request);
		if (request.onNotification !== undefined) call.token = progressToken(request.message);
		return call;
	}

	#send(request: UpstreamRequest): PendingCall {
		const call = this.#accept(request);
		this.#post(call);
		return call;
	}

	#post(call: PendingCall): void {
		const stream = this.#stream;
		const { message, edits } = call.request;
		new SsePost({
			remote: this.#remote,
			faults: this.#faults,
			pending: this.#pending,
			call,
			bytes: stampRequest(message, edits, call.id),
			path: this.#path,
			headers: () => this.#headers(),
			auth: this.#auth,
			onLost: () => {
				if (stream === undefined || stream !== this.#stream) return;
				stream.stop();
				this.#broke(stream, "forgot the connection");
			},
		}).start();
	}

	/** Headers of every request that goes out now: as configured, and the token we have. */
	#configured(): readonly string[] {
		return [...this.#own_headers, ...(this.#auth?.headers() ?? [])];
	}

	#headers(): string[] {
		const list = [...this.#configured(), "content-type", "application/json"];
		list.push("accept", "application/json, text/event-stream");
		const revision = this.#hello?.revision;
		if (revision !== undefined) list.push(header_names.protocol_version, revision);
		return list;
	}

	async #initialize(wait_ms: number): Promise<Result<Hello, Fault>> {
		const { signal, start_ms } = this.#context;
		const message = composeInitialize(this.#context);
		const plain = { message, edits: [], name: undefined, signal, call_ms: wait_ms };
		const { outcome } = this.#send(plain);
		const reply = await outcome;
		if (!reply.ok) {
			if (reply.problem.code !== "call_timeout") return reply;
			const reason = `did not answer initialize within ${start_ms / 1000} s`;
			return fail(this.#faults.notStarted(reason));
		}
		const error = readHandshakeError(reply.value);
		if (error !== undefined) {
			const what = `refused the handshake with error ${error.code}`;
			return fail(this.#faults.protocol(what, undefined, error.message));
		}
		const hello = readInitialized(reply.value);
		if (typeof hello === "string") return fail(this.#faults.protocol(hello));
		// Calls may take another connection: the server must have seen this one before them.
		await this.#deliver(initialized);
		return succeed(hello);
	}

	#deliver(body: Buffer): Promise<Result<Reply, string>> {
		const path = this.#path;
		return sendAuthorized(this.#auth, () =>
			once(this.#remote, { method: "POST", path, headers: this.#headers(), body }),
		);
	}

	/** Sends a message that has no reply; what goes wrong becomes a line in the server's log. */
	#tell(bytes: Buffer, what: string): void {
		if (this.#closing !== undefined || this.#connecting !== undefined) return;
		const note = (why: string) =>
			this.#context.onLine("event", `${what} was not accepted (${why})`);
		if (this.#posts >= posts_max) {
			note("too much is under way to this server");
			return;
		}
		this.#posts += 1;
		void this.#deliver(bytes).then((reply) => {
			this.#posts -= 1;
			if (this.#closing !== undefined || (reply.ok && reply.value.status < 300)) return;
			note(reply.ok ? `HTTP ${reply.value.status}` : reply.problem);
		});
	}

	#tellCancelled(call: PendingCall): void {
		if (!call.written || call.request.message.method === "initialize") return;
		const params = `{"requestId":${call.id},"reason":"The call was given up."}`;
		const text = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`;
		this.#tell(Buffer.from(text), "a cancellation");
	}

	#receive(data: Buffer): void {
		if (this.#connecting === undefined) this.#breaks = 0;
		const outcome = this.#inbound.receive(data, undefined);
		if (!outcome.ok) this.#context.onLine("odd", "sent an event that is not a message");
	}

	/** Whose reply it was cannot be told, unless only one is waited for. */
	#oversize(): void {
		const { reply_bytes_max, onLine } = this.#context;
		onLine("odd", "sent an event that is over the limit");
		const call = this.#pending.only();
		if (call !== undefined) {
			this.#pending.settle(call, fail(this.#faults.tooLarge(reply_bytes_max, call)));
		}
	}

	/** The stream is over: what was on its way ends here, and another stream takes its place. */
	#broke(stream: SseStream, reason: string): void {
		if (stream !== this.#stream || this.#closing !== undefined) return;
		this.#stream = undefined;
		this.#pending.failAll((call) => this.#faults.exited(call, reason));
		this.#asks.close();
		// Before the first handshake is done there is nobody to go on for.
		if (this.#hello === undefined || this.#connecting !== undefined) return;
		this.#breaks += 1;
		if (this.#breaks > breaks_max) {
			this.#gone(reason);
			return;
		}
		this.#context.onLine("event", `the server ${reason}; it is connected to anew`);
		this.#connecting = this.#reconnect(reason);
	}

	async #reconnect(reason: string): Promise<void> {
		const hello = await this.open(this.#context.start_ms);
		this.#connecting = undefined;
		if (hello.ok && this.#stream !== undefined) return;
		this.#gone(reason);
	}

	#gone(reason: string): void {
		if (this.#closing !== undefined) return;
		const message = `${reason} and could not be connected to anew`;
		this.#closing = this.#close(message);
		this.#context.onGone({ message, exit_code: null, signal: null });
	}

	async #close(reason: string): Promise<void> {
		this.#stream?.stop();
		this.#pending.failAll((call) => this.#faults.exited(call, reason));
		this.#asks.close();
		await this.#remote.close();
	}
}
