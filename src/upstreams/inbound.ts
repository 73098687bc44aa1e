import { assert } from "../lib/assert.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { meta_keys } from "../protocol/meta.ts";
import { composeResult } from "../wire/compose.ts";
import { indexBatch, indexMessage, isBatch } from "../wire/index-message.ts";
import type { Message, Span, WireProblem } from "../wire/message.ts";
import { memberSpan, rawText, readJson, readString } from "../wire/object.ts";
import { applyEdits, replaceSpan } from "../wire/splice.ts";
import type { OpenAsks } from "./asks.ts";
import type { DriverContext } from "./driver.ts";
import type { UpstreamFaults } from "./faults.ts";
import type { Outcome, PendingCall, PendingCalls } from "./pending.ts";

/** Where the messages of a connection go. */
export interface InboundOptions {
	readonly context: DriverContext;
	readonly pending: PendingCalls;
	readonly asks: OpenAsks;
	readonly faults: UpstreamFaults;
	/** Sends a response to the server. */
	send(bytes: Buffer): void;
}

/** Notifications about the server as a whole, on whichever stream they come. */
const about_server =
	/^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

/** Gives every message of a server to whom it belongs. */
export class Inbound {
	readonly #options: InboundOptions;
	#answers = 0;

	constructor(options: InboundOptions) {
		this.#options = options;
	}

	/** See `Upstream.answers`. */
	get answers(): number {
		return this.#answers;
	}

	/**
	 * Takes one message, or the array of messages that 2025-03-26 allows. `via` is the call on
	 * whose own stream it came, where the transport has such streams. The problem is given back
	 * when the bytes are no message and no call could be told to have ended by them.
	 */
	receive(bytes: Buffer, via: PendingCall | undefined): Result<undefined, WireProblem> {
		if (isBatch(bytes)) {
			const batch = indexBatch(bytes);
			if (!batch.ok) return batch;
			for (const message of batch.value) this.#dispatch(message, via);
			return succeed(undefined);
		}
		const indexed = indexMessage(bytes);
		if (!indexed.ok) return this.#broken(indexed.problem);
		this.#dispatch(indexed.value, via);
		return succeed(undefined);
	}

	/** A reply that names its call but is not valid ends the call: no better one will come. */
	#broken(problem: WireProblem): Result<undefined, WireProblem> {
		const { pending, faults, context } = this.#options;
		const call = problem.id === undefined ? undefined : pending.get(readInteger(problem.id));
		if (call === undefined) return fail(problem);
		const what = "sent a reply that is not a valid message";
		context.onLine("odd", `${what} (${problem.message})`);
		pending.settle(call, fail(faults.protocol(what, call, problem.message)));
		return succeed(undefined);
	}

	#dispatch(message: Message, via: PendingCall | undefined): void {
		switch (message.kind) {
			case "result":
			case "error":
				this.#reply(message, via);
				return;
			case "notification":
				this.#notification(message, via);
				return;
			case "request":
				this.#request(message, via);
				return;
		}
	}

	#reply(message: Message, via: PendingCall | undefined): void {
		this.#answers += 1;
		const { pending, context } = this.#options;
		const call = pending.get(integerAt(message.bytes, message.id));
		if (call !== undefined) {
			pending.settle(call, this.#valid(message, call));
			return;
		}
		// An error that could not name its request is about the one whose stream it came on.
		if (via !== undefined && !via.settled && message.kind === "error" && hasNoId(message)) {
			pending.settle(via, succeed(message));
			return;
		}
		const id = message.id === undefined ? "none" : rawText(message.bytes, message.id).slice(0, 40);
		context.onLine("odd", `sent a reply that no request waits for (id ${id})`);
	}

	/** An error without a code or a message is none that a client could read. */
	#valid(message: Message, call: PendingCall): Outcome {
		const { bytes, error } = message;
		if (error === undefined) return succeed(message);
		const code = readJson(bytes, memberSpan(error, "code"));
		const text = readString(bytes, memberSpan(error, "message"));
		if (Number.isInteger(code) && text !== undefined) return succeed(message);
		const what = "sent an error without a code or a message";
		this.#options.context.onLine("odd", what);
		return fail(this.#options.faults.protocol(what, call));
	}

	#notification(message: Message, via: PendingCall | undefined): void {
		const { pending, asks, context } = this.#options;
		const { bytes, method = "", params } = message;
		if (method === "notifications/progress") {
			this.#answers += 1;
			const token = memberSpan(params, "progressToken");
			const call = pending.get(integerAt(bytes, token));
			if (call !== undefined) this.#progress(message, token as Span, call);
			return;
		}
		if (method === "notifications/cancelled") {
			const id = memberSpan(params, "requestId");
			if (id === undefined) return;
			const ended = this.#listening(bytes, id);
			if (ended === undefined) asks.withdraw(rawText(bytes, id));
			else pending.settle(ended, succeed(endOfListening(ended)));
			return;
		}
		// Over HTTP a subscription has a stream of its own; on one channel its id tells.
		const tag = memberSpan(message.meta, meta_keys.subscription_id);
		const listener = isListening(via) ? via : this.#listening(bytes, tag);
		// What a server logs on one channel is about the only call in flight, if there is only one.
		const only = method === "notifications/message" ? pending.only() : undefined;
		const about = via ?? (only?.request.onNotification === undefined ? undefined : only);
		if (listener !== undefined) this.#listened(message, tag, listener);
		else if (about === undefined || about_server.test(method)) context.onPush(message);
		else if (!about.settled) about.request.onNotification?.(message);
	}

	/** The subscription in flight under an id of this hop. */
	#listening(bytes: Buffer, id: Span | undefined): PendingCall | undefined {
		const call = this.#options.pending.get(integerAt(bytes, id));
		return isListening(call) ? call : undefined;
	}

	/** What comes on a subscription bears the id of its request, which is the client's own. */
	#listened(message: Message, tag: Span | undefined, { request, settled }: PendingCall): void {
		if (settled || request.onNotification === undefined) return;
		const { id, bytes } = request.message;
		if (tag === undefined || id === undefined) {
			request.onNotification(message);
			return;
		}
		const restored = applyEdits(message.bytes, [replaceSpan(tag, rawText(bytes, id))]);
		const indexed = indexMessage(restored);
		if (indexed.ok) request.onNotification(indexed.value);
	}

	#progress(message: Message, token: Span, call: PendingCall): void {
		this.#options.pending.progressed(call);
		if (call.token === undefined || call.request.onNotification === undefined) return;
		const restored = applyEdits(message.bytes, [replaceSpan(token, call.token)]);
		const indexed = indexMessage(restored);
		if (indexed.ok) call.request.onNotification(indexed.value);
	}

	#request(message: Message, via: PendingCall | undefined): void {
		const { pending, asks, context } = this.#options;
		if (message.method === "ping") {
			const id = message.id === undefined ? "null" : rawText(message.bytes, message.id);
			this.#options.send(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{}}`));
			return;
		}
		const only = via ?? pending.only();
		const call = only?.request.onRequest === undefined || only.settled ? undefined : only;
		const ask = asks.open(message, () => {
			if (call !== undefined) pending.answered(call);
		});
		if (ask === undefined) return;
		if (call === undefined) {
			context.onRequest(ask);
			return;
		}
		pending.asked(call);
		void call.outcome.then(() => asks.abandon(ask, via === undefined));
		call.request.onRequest?.(ask);
	}
}

function isListening(call: PendingCall | undefined): call is PendingCall {
	return call?.request.message.method === "subscriptions/listen";
}

/** A server may also end a subscription by cancelling it: for who listens that is the same. */
function endOfListening({ id }: PendingCall): Message {
	const meta = `{"${meta_keys.subscription_id}":${id}}`;
	const bytes = composeResult(String(id), `{"resultType":"complete","_meta":${meta}}`);
	const indexed = indexMessage(bytes);
	assert(indexed.ok, "what is composed here is a message");
	return indexed.value;
}

function hasNoId(message: Message): boolean {
	return message.id === undefined || message.bytes[message.id.start] === 0x6e; // null
}

/** Most digits that are certainly a safe integer. */
const digits_max = 15;

/** The integer at `span`, as the ids and tokens of this hop are written; else undefined. */
function integerAt(bytes: Buffer, span: Span | undefined): number | undefined {
	if (span === undefined || span.end - span.start > digits_max) return undefined;
	let value = 0;
	for (let at = span.start; at < span.end; at++) {
		const digit = (bytes[at] as number) - 0x30;
		if (digit < 0 || digit > 9) return undefined;
		value = value * 10 + digit;
	}
	return value;
}

function readInteger(text: string): number | undefined {
	return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
