import type { Timer } from "../../lib/clock.ts";
import { fail } from "../../lib/result.ts";
import { composeNotification } from "../../wire/compose.ts";
import { indexMessage, isBatch } from "../../wire/index-message.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { LineReader } from "../../wire/ndjson.ts";
import { applyEdits } from "../../wire/splice.ts";
import { OpenAsks } from "../asks.ts";
import type {
	ChildHandle,
	DriverContext,
	GoneReason,
	Hibernation,
	Isolation,
	UpstreamRequest,
} from "../driver.ts";
import { UpstreamFaults } from "../faults.ts";
import { Inbound } from "../inbound.ts";
import { progressToken, stampLine } from "../outgoing.ts";
import { type Outcome, type PendingCall, PendingCalls } from "../pending.ts";
import { Lifetime } from "./lifetime.ts";
import { Outbox } from "./outbox.ts";
import { idOfOversize } from "./oversize.ts";
import { printable, readTextLines } from "./text-lines.ts";

/** Requests that must not be cancelled (cancellation, 2025-11-25). */
const uncancellable = new Set(["initialize", "server/discover"]);

/** How long a program is held back at a time for a client that does not read. */
const hold_ms_max = 60_000;

/** A line over the limit that has not ended after this long may never do so. */
const endless_ms = 2_000;

/** Messages to and from one running program. Knows nothing of handshakes. */
export class StdioConnection {
	readonly faults: UpstreamFaults;
	readonly #context: DriverContext;
	readonly #pending: PendingCalls;
	readonly #asks: OpenAsks;
	readonly #inbound: Inbound;
	readonly #outbox: Outbox;
	readonly #lifetime: Lifetime;
	readonly #hibernation: Hibernation | undefined;
	/** What shuts the program off from the machine, where that is known. */
	readonly isolation: Isolation | undefined;
	/** The call whose client is behind, while the program's output is not read for it. */
	#held: PendingCall | undefined;
	#hold_timer: Timer | undefined;
	#endless_timer: Timer | undefined;
	/** Calls whose clients had all the time there is to catch up. */
	readonly #given_up = new WeakSet<PendingCall>();
	#may_hold = true;
	#resume: () => void = () => {};
	readonly #was_killed: () => boolean;
	#told_kill = false;
	/** Told when the program goes away by itself; set once the handshake is done. */
	onGone: ((reason: GoneReason) => void) | undefined = undefined;

	constructor(child: ChildHandle, context: DriverContext) {
		const { clock, random, server, stop_ms } = context;
		const faults = new UpstreamFaults(server, random);
		const outbox = new Outbox(child.stdin);
		const send = (bytes: Buffer) => outbox.push(bytes, undefined);
		this.#context = context;
		this.#hibernation = child.hibernation;
		this.#was_killed = () => child.was_killed?.() === true;
		this.isolation = isolationOf(child);
		this.faults = faults;
		this.#outbox = outbox;
		this.#pending = new PendingCalls({
			clock,
			faults,
			onGivenUp: (call) => this.#tellCancelled(call),
		});
		this.#asks = new OpenAsks({ send });
		const pending = this.#pending;
		this.#inbound = new Inbound({ context, pending, asks: this.#asks, faults, send });
		this.#lifetime = new Lifetime(child, { clock, stop_ms, onOver: (end) => this.#over(end) });
		readTextLines(child.stderr, (line) => context.onLine("stderr", line));
		this.#readMessages(child.stdout);
		// What it wrote before its end has to be read, or its end is never seen.
		void child.exited.then(() => {
			this.#may_hold = false;
			this.#release();
		});
	}

	/** See `Upstream.in_flight`. */
	get in_flight(): number {
		return this.#pending.size;
	}

	/** See `Upstream.answers`. */
	get answers(): number {
		return this.#inbound.answers;
	}

	/** How the program is put to sleep, where the machine can. */
	get hibernation(): Hibernation | undefined {
		return this.#hibernation;
	}

	/** How the program ended, once it has. */
	get ended(): GoneReason | undefined {
		return this.#lifetime.end;
	}

	/** See `Upstream.request`. */
	request(request: UpstreamRequest): Promise<Outcome> {
		// Somebody else needs the pipe now: what the slow reader is sent is bounded elsewhere.
		this.#release();
		if (this.#lifetime.is_ending) return Promise.resolve(fail(this.faults.gone()));
		if (request.signal.aborted) {
			return Promise.resolve(fail(this.faults.cancelled({ request, written: false })));
		}
		if (this.#outbox.is_full) return Promise.resolve(fail(this.faults.queueFull()));
		const call = this.#pending.add(request);
		if (request.onNotification !== undefined) call.token = progressToken(request.message);
		this.#outbox.pushLine(stampLine(request.message, request.edits, call.id), call);
		return call.outcome;
	}

	/** See `Upstream.notify`. */
	notify(message: Message, edits: readonly Edit[]): void {
		if (this.#lifetime.is_ending || this.#outbox.is_full) return;
		this.#outbox.push(applyEdits(message.bytes, edits), undefined);
	}

	/** See `Upstream.drain`. */
	drain(wait_ms: number): Promise<void> {
		return this.#pending.drain(wait_ms);
	}

	/** See `Upstream.close`; `stop_ms` shortens the time it gets to end by itself. */
	async close(stop_ms?: number): Promise<void> {
		this.#may_hold = false;
		this.#release();
		await this.#lifetime.close(stop_ms);
		if (this.#was_killed() && !this.#told_kill) {
			this.#told_kill = true;
			const text = "did not end when its standard input was closed, nor on SIGTERM: it was killed";
			this.#context.onLine("odd", text);
		}
	}

	#readMessages(stdout: NodeJS.ReadableStream): void {
		let ended = false;
		const reader = new LineReader({
			line_bytes_max: this.#context.reply_bytes_max,
			owns_chunks: true,
			onLine: (line) => (ended ? this.#receiveLast(line) : this.#receive(line)),
			onExcess: () => this.#excess(),
			onOversize: (head, bytes_total, tail) => this.#oversize(head, bytes_total, tail),
		});
		this.#resume = () => void stdout.resume();
		stdout.on("data", (chunk: Buffer) => {
			reader.push(chunk);
			if (this.#holdBack()) stdout.pause();
		});
		stdout.on("end", () => {
			ended = true;
			reader.end();
		});
	}

	/**
	 * Reads no further while the client of the only call is behind: the pipe fills up, and the
	 * program's next word has to wait. With several calls, or subscriptions, it would make the
	 * others wait too. That time is the client's and not the program's, as with a question.
	 */
	#holdBack(): boolean {
		if (!this.#may_hold) return false;
		const call = this.#pending.sole();
		const caught_up = call?.request.backlog?.();
		if (call === undefined || caught_up === undefined || this.#held !== undefined) return false;
		if (this.#given_up.has(call)) return false;
		this.#held = call;
		this.#pending.held(call);
		// What else the program has to say, to sessions that only listen, must not wait for ever.
		this.#hold_timer = this.#context.clock.afterIdle(hold_ms_max, () => {
			this.#given_up.add(call);
			this.#release();
		});
		void caught_up.then(() => {
			if (this.#held === call) this.#release();
		});
		return true;
	}

	#release(): void {
		const call = this.#held;
		if (call === undefined) return;
		this.#held = undefined;
		this.#hold_timer?.cancel();
		this.#pending.letGo(call);
		this.#resume();
	}

	/**
	 * What stands behind the last newline: a whole message, or the beginning of one that its
	 * program was killed over. Then its call ends with the program, not with a broken protocol.
	 */
	#receiveLast(line: Buffer): void {
		if (isBatch(line) || indexMessage(line).ok) this.#receive(line);
		else this.#context.onLine("odd", "ended in the middle of a message");
	}

	#receive(line: Buffer): void {
		const outcome = this.#inbound.receive(line, undefined);
		if (!outcome.ok) this.#context.onLine("stdout", printable(line));
	}

	/** The line may never end, and nothing else that it says is heard as long as it does not. */
	#excess(): void {
		const { clock, reply_bytes_max: limit } = this.#context;
		this.#endless_timer = clock.afterIdle(endless_ms, () => {
			if (this.#lifetime.is_ending) return;
			const text = `is writing a line of more than ${limit} bytes: what follows is heard after its end`;
			this.#context.onLine("odd", text);
		});
	}

	#oversize(head: Buffer, bytes_total: number, tail: Buffer): void {
		this.#endless_timer?.cancel();
		const call = this.#pending.get(idOfOversize(head, tail));
		if (call === undefined) {
			const text = `wrote a line of ${bytes_total} bytes, which is over the limit, and no reply`;
			this.#context.onLine("odd", text);
			return;
		}
		const fault = this.faults.tooLarge(this.#context.reply_bytes_max, call);
		this.#pending.settle(call, fail(fault));
	}

	#tellCancelled(call: PendingCall): void {
		if (!call.written || uncancellable.has(call.request.message.method ?? "")) return;
		const params = `{"requestId":${call.id},"reason":"The call was given up."}`;
		this.notify(composeNotification("notifications/cancelled", params), []);
	}

	#over(end: GoneReason): void {
		this.#endless_timer?.cancel();
		this.#outbox.close();
		this.#pending.failAll((call) => this.faults.exited(call, end.message));
		this.#asks.close();
		if (!this.#lifetime.is_closing) this.onGone?.(end);
	}
}

function isolationOf(child: ChildHandle): Isolation | undefined {
	const { sandbox } = child;
	return sandbox === undefined ? undefined : { sandbox, notes: () => child.notes?.() ?? [] };
}
