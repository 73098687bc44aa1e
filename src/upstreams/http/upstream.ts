import { fail, succeed } from "../../lib/result.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";
import type { Hello, Upstream, UpstreamRequest } from "../driver.ts";
import { envelopeOf } from "../handshake.ts";
import { type Envelope, progressToken, stampRequest, withEnvelope } from "../outgoing.ts";
import type { Outcome } from "../pending.ts";
import { CallRun } from "./call-run.ts";
import { initialize } from "./handshake.ts";
import type { HttpSession } from "./headers.ts";
import type { HttpLink } from "./link.ts";
import { PushStream } from "./push-stream.ts";

/** A remote server that has answered its handshake. */
export class HttpUpstream implements Upstream {
	readonly hello: Hello;
	readonly #link: HttpLink;
	readonly #envelope: Envelope | undefined;
	#pushes: PushStream | undefined;
	#closing: Promise<void> | undefined;

	constructor(link: HttpLink, hello: Hello) {
		this.#link = link;
		this.hello = hello;
		const modern = hello.era === "modern";
		this.#envelope = modern ? envelopeOf(link.context, hello.revision) : undefined;
	}

	/** Listens for what belongs to no call, and renews the session when it is lost. */
	async start(): Promise<void> {
		if (this.hello.era === "modern") return;
		const link = this.#link;
		link.handshake = async () => {
			const agreement = await initialize(link, link.context.start_ms);
			if (!agreement.ok) {
				if (agreement.problem.code !== "server_unreachable") this.#gone();
				return agreement;
			}
			await this.#listen(agreement.value.session);
			return succeed(agreement.value.session);
		};
		await this.#listen(link.session);
	}

	get in_flight(): number {
		return this.#link.pending.size;
	}

	request(request: UpstreamRequest): Promise<Outcome> {
		const link = this.#link;
		if (link.is_closed) return Promise.resolve(fail(link.faults.gone()));
		if (request.signal.aborted) {
			return Promise.resolve(fail(link.faults.cancelled({ request, written: false })));
		}
		const complete = this.#envelope === undefined ? request : withEnvelope(request, this.#envelope);
		const call = link.pending.add(complete);
		if (request.onNotification !== undefined) call.token = progressToken(complete.message);
		const bytes = stampRequest(complete.message, complete.edits, call.id);
		new CallRun(link, call, bytes).start();
		return call.outcome;
	}

	useHeaders(headers: Readonly<Record<string, string>>): void {
		this.#link.useHeaders(headers);
	}

	/** The modern revision has no notifications from clients over HTTP: they are dropped. */
	notify(message: Message, edits: readonly Edit[]): void {
		if (this.hello.era === "modern") return;
		this.#link.post(applyEdits(message.bytes, edits), "a notification");
	}

	drain(wait_ms: number): Promise<void> {
		return this.#link.pending.drain(wait_ms);
	}

	close(): Promise<void> {
		this.#closing ??= this.#close("was closed");
		return this.#closing;
	}

	#listen(session: HttpSession): Promise<void> {
		this.#pushes?.stop();
		this.#pushes = new PushStream(this.#link, session);
		return this.#pushes.start();
	}

	/** It answers, but will not have us any more: it has to be opened anew. */
	#gone(): void {
		if (this.#link.is_closed) return;
		const message = "forgot its session and refused a new one";
		this.#closing = this.#close(message);
		this.#link.context.onGone({ message, exit_code: null, signal: null });
	}

	async #close(reason: string): Promise<void> {
		const { pending, asks, remote, faults, context } = this.#link;
		this.#link.is_closed = true;
		this.#pushes?.stop();
		pending.failAll((call) => faults.exited(call, reason));
		asks.close();
		const enough = Promise.withResolvers<void>();
		const timer = context.clock.after(context.stop_ms, enough.resolve);
		await Promise.race([this.#link.endSession(), enough.promise]);
		timer.cancel();
		await remote.close();
	}
}
