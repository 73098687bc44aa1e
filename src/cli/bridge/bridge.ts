import type { Readable, Writable } from "node:stream";
import type { Clock } from "../../lib/clock.ts";
import { composeError } from "../../wire/compose.ts";
import { indexBatch, indexMessage, isBatch } from "../../wire/index-message.ts";
import type { Message, Span } from "../../wire/message.ts";
import { LineReader } from "../../wire/ndjson.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import { type ExchangeTools, exchange } from "./exchange.ts";
import { json_headers, LegacySession } from "./legacy-session.ts";
import { LineWriter } from "./line-writer.ts";
import { Link } from "./link.ts";
import { envelopeRevision, modernHeaders } from "./modern-headers.ts";
import { ParamHeaders } from "./param-headers.ts";
import { isEventStream, readBody, readEvents } from "./read-reply.ts";
import { linkError, refusalError, streamEndError } from "./rpc-error.ts";

/** What a bridge connects. */
export interface BridgeOptions {
	readonly stdin: Readable;
	readonly stdout: Writable;
	readonly clock: Clock;
	/** The endpoint's address, looked up anew when `fresh`; undefined while no gateway runs. */
	locate(fresh: boolean): Promise<string | undefined>;
	/** API key that is sent with every request. */
	readonly key?: string | undefined;
	/** A line for people, on standard error. */
	note(text: string): void;
	/** Ends the bridge at once. */
	readonly signal: AbortSignal;
}

/** Longest line taken from the client. */
const line_bytes_max = 64 * 1024 * 1024;
/** Requests under way at once; beyond them the client has to wait. */
const requests_max = 1024;
/** Calls in flight may finish within this when the client has closed its end. */
const drain_ms_max = 10 * 60_000;
const goodbye_ms_max = 2_000;

/**
 * Bridges a client on standard streams to an endpoint over Streamable HTTP, in both eras.
 * Messages keep their bytes; only as much is read of them as it takes to carry them over.
 * Resolves when the client has closed its end and everything is answered, when nobody reads the
 * answers any more, or when the signal aborts.
 */
export async function runBridge(options: BridgeOptions): Promise<void> {
	await new Bridge(options).run();
}

/** A request under way. */
interface Running {
	readonly cancel: AbortController;
	readonly modern: boolean;
}

class Bridge {
	readonly #options: BridgeOptions;
	readonly #tools: ExchangeTools;
	readonly #signal: AbortSignal;
	/** Ends streams that never end by themselves. */
	readonly #listening = new AbortController();
	readonly #running = new Map<string, Running>();
	readonly #tasks = new Set<Promise<void>>();
	/** Legacy messages that must arrive in order: each waits for the one before. */
	#ordered: Promise<void> = Promise.resolve();

	constructor(options: BridgeOptions) {
		const { clock, locate, key } = options;
		this.#options = options;
		const writer = new LineWriter(options.stdout);
		this.#signal = AbortSignal.any([options.signal, writer.broken]);
		const link = new Link({ clock, locate, key });
		const session = new LegacySession({
			clock,
			link,
			signal: this.#signal,
			closing: this.#listening.signal,
			onPush: (message) => writer.write(message),
			note: options.note,
		});
		this.#tools = { link, session, params: new ParamHeaders(), writer, clock };
	}

	async run(): Promise<void> {
		const { link, session, writer } = this.#tools;
		await this.#readInput();
		this.#listening.abort();
		await this.#settle();
		for (const { cancel } of this.#running.values()) cancel.abort();
		if (!this.#signal.aborted) {
			const goodbye = new AbortController();
			const timer = this.#options.clock.after(goodbye_ms_max, () => goodbye.abort());
			await session.end(AbortSignal.any([goodbye.signal, this.#signal]));
			timer.cancel();
		}
		await writer.flush();
		await link.close();
	}

	/** Takes lines until the client closes its end. */
	async #readInput(): Promise<void> {
		const { stdin } = this.#options;
		const reader = new LineReader({
			line_bytes_max,
			onLine: (line) => this.#take(line),
			onOversize: (_head, bytes_total) => {
				const text = `A message of ${bytes_total} bytes is larger than ${line_bytes_max}.`;
				this.#start(this.#tools.writer.write(composeError("null", -32600, text)));
			},
		});
		const stop = () => stdin.destroy();
		this.#signal.addEventListener("abort", stop, { once: true });
		try {
			for await (const chunk of stdin) {
				reader.push(chunk as Buffer);
				while (this.#tasks.size >= requests_max) await Promise.race(this.#tasks);
			}
			reader.end();
		} catch {
			// A broken standard input is a closed one.
		}
		this.#signal.removeEventListener("abort", stop);
	}

	/** Waits for what is under way, for as long as a call may take. */
	async #settle(): Promise<void> {
		if (this.#tasks.size === 0 || this.#signal.aborted) return;
		const over = Promise.withResolvers<void>();
		const timer = this.#options.clock.after(drain_ms_max, over.resolve);
		this.#signal.addEventListener("abort", () => over.resolve(), { once: true });
		const settled = async () => {
			while (this.#tasks.size > 0) await Promise.all(this.#tasks);
		};
		await Promise.race([settled(), over.promise]);
		timer.cancel();
	}

	#take(line: Buffer): void {
		if (isBatch(line)) {
			this.#takeBatch(line);
			return;
		}
		const indexed = indexMessage(line);
		if (!indexed.ok) {
			const { id, code, message } = indexed.problem;
			this.#start(this.#tools.writer.write(composeError(id ?? "null", code, message)));
			return;
		}
		const message = indexed.value;
		if (message.kind === "request") this.#takeRequest(message);
		else if (message.method === "notifications/cancelled") this.#cancel(message);
		else this.#tell(message);
	}

	#takeRequest(message: Message): void {
		const id = rawText(message.bytes, message.id as Span);
		if (this.#running.has(id)) {
			const text = `A request with the id ${id} is still under way.`;
			this.#start(this.#tools.writer.write(composeError(id, -32600, text)));
			return;
		}
		const revision = envelopeRevision(message);
		const cancel = new AbortController();
		const running = { cancel, modern: revision !== undefined };
		this.#running.set(id, running);
		const signals = [this.#signal, cancel.signal];
		// A stream of pushes never ends by itself: it ends with the client's input.
		if (message.method === "subscriptions/listen") signals.push(this.#listening.signal);
		const request = { message, revision, signal: AbortSignal.any(signals) };
		const before = revision === undefined ? this.#ordered : Promise.resolve();
		const handshake = revision === undefined && message.method === "initialize";
		const work = before.then(async () => {
			if (handshake) this.#tools.session.begin(message);
			await exchange(request, this.#tools);
		});
		const done = work.finally(() => {
			if (this.#running.get(id) === running) this.#running.delete(id);
		});
		// Nothing of the session may be sent before the handshake has its answer.
		if (handshake) this.#ordered = done.catch(() => undefined);
		this.#start(done);
	}

	/** A modern request is cancelled by closing its stream, a legacy one by telling the server. */
	#cancel(message: Message): void {
		const span = memberSpan(message.params, "requestId");
		const id = span === undefined ? undefined : rawText(message.bytes, span);
		const running = id === undefined ? undefined : this.#running.get(id);
		if (running?.modern === true) running.cancel.abort();
		else if (envelopeRevision(message) === undefined) this.#tell(message);
	}

	/** Passes on what has no answer: notifications, and answers to the server's requests. */
	#tell(message: Message): void {
		const revision = envelopeRevision(message);
		const told = this.#ordered.then(async () => {
			await this.#postQuietly(message, revision);
			if (message.method === "notifications/initialized" && revision === undefined) {
				this.#tools.session.ready(message);
			}
		});
		this.#ordered = told.catch(() => undefined);
		this.#start(told);
	}

	async #postQuietly(message: Message, revision: string | undefined): Promise<void> {
		const { link, session } = this.#tools;
		const body = message.bytes;
		for (let attempt = 0; attempt < 2; attempt += 1) {
			const session_id = revision === undefined ? session.id : undefined;
			const own = revision === undefined ? session.headers() : modernHeaders(message, revision);
			const headers = { ...json_headers, ...own };
			const signal = this.#signal;
			const sent = await link.send({ method: "POST", headers, body, signal, repeatable: false });
			if (!sent.ok) {
				if (sent.problem.kind !== "aborted") this.#options.note(sent.problem.detail);
				return;
			}
			await readBody(sent.value);
			if (sent.value.status < 300) return;
			const lost = sent.value.status === 404 && session_id !== undefined;
			if (lost && (await session.renew(session_id))) continue;
			this.#options.note(`The gateway refused a notification (HTTP ${sent.value.status}).`);
			return;
		}
	}

	/** A batch is a legacy thing: it goes over as it is, its answers come back as they come. */
	#takeBatch(line: Buffer): void {
		const indexed = indexBatch(line);
		if (!indexed.ok) {
			const { code, message } = indexed.problem;
			this.#start(this.#tools.writer.write(composeError("null", code, message)));
			return;
		}
		const ids = indexed.value
			.filter(({ kind }) => kind === "request")
			.map((message) => rawText(message.bytes, message.id as Span));
		this.#start(this.#ordered.then(() => this.#postBatch(line, ids)));
	}

	async #postBatch(body: Buffer, ids: readonly string[]): Promise<void> {
		const { link, session, writer } = this.#tools;
		const headers = { ...json_headers, ...session.headers() };
		const signal = this.#signal;
		const sent = await link.send({ method: "POST", headers, body, signal, repeatable: false });
		const fail = async (answer: (id: string) => Buffer) => {
			if (!signal.aborted) for (const id of ids) await writer.write(answer(id));
		};
		if (!sent.ok) return fail((id) => linkError(id, sent.problem));
		if (isEventStream(sent.value)) {
			const end = await readEvents(sent.value, (data) => writer.write(data));
			return end.broken ? fail(streamEndError) : undefined;
		}
		const reply = await readBody(sent.value);
		if (reply === undefined) return fail(streamEndError);
		const { status } = sent.value;
		if (status >= 300) return fail((id) => refusalError(id, status, reply));
		if (reply.length > 0) await writer.write(reply);
		return undefined;
	}

	#start(work: Promise<void>): void {
		const task = work
			.catch((error: unknown) => this.#options.note(`The bridge failed: ${String(error)}`))
			.finally(() => this.#tasks.delete(task));
		this.#tasks.add(task);
	}
}
