import type { Approval } from "../../approvals/approval.ts";
import { withinTime } from "../../lib/clock.ts";
import { exposedName } from "../../protocol/names.ts";
import type { AskOutcome } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, rawText } from "../../wire/object.ts";
import { type Call, makeCall, type Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { inputRequestsJson, ModernRun, type RunViewer } from "../parking/modern-run.ts";
import { parked_ms } from "../parking/parked-calls.ts";
import { runCall } from "../pipeline.ts";
import { type Round, roundOf } from "./call-outcome.ts";

/** Questions that a server asks at once come one after the other; see `ModernEdge`. */
const gather_ms = 10;

/** What the client of a task answered: by question, and as raw JSON for servers that want that. */
export interface TaskAnswers {
	readonly by_key: ReadonlyMap<string, AskOutcome>;
	readonly raw: string;
}

/** Who broke a run off: its client, or time, because nobody answered its server. */
export type BrokenOff = "cancelled" | "unanswered";

/** What a run is made of. */
export interface TaskRunOptions {
	readonly approval: Approval;
	readonly context: GatewayContext;
	/** Told of the reply, unless that only asks the client something. */
	onOver(run: TaskRun, call: Call, reply: Reply): Promise<void>;
	/** The pipeline, but in tests. */
	readonly send?: (call: Call, context: GatewayContext) => Promise<Reply>;
}

/**
 * An approved call on its way, without a request of its client that waits for it. It runs in the
 * name of whoever asked about its task, through the same pipeline as every other call.
 */
export class TaskRun {
	readonly #options: TaskRunOptions;
	#cancel = new AbortController();
	#parked: ModernRun | undefined;
	#round: Round | undefined;
	#questions: string | undefined;
	#changed = Promise.withResolvers<void>();
	#over: Promise<void> = Promise.resolve();
	#broken_off: BrokenOff | undefined;

	constructor(options: TaskRunOptions) {
		this.#options = options;
	}

	/** What the server wants to hear from the client: a raw `inputRequests` object. */
	get questions(): string | undefined {
		return this.#questions;
	}

	/** Undefined while it may still come to something, and when it has. */
	get broken_off(): BrokenOff | undefined {
		return this.#broken_off;
	}

	/** Resolves when nothing of it is on its way any longer. */
	get over(): Promise<void> {
		return this.#over;
	}

	/** Sends the call in the name of whoever makes this request. */
	start(request: Call): void {
		this.#send(request, undefined);
	}

	/** Resolves when it is over or asks something, at the latest after `wait_ms`. */
	async changed(wait_ms: number): Promise<void> {
		if (this.#questions !== undefined) return;
		await withinTime(this.#options.context.clock, wait_ms, this.#changed.promise);
	}

	/** Hands answers to the server; what is still open is asked again. */
	answer(request: Call, { by_key, raw }: TaskAnswers): void {
		if (this.#questions === undefined || by_key.size === 0) return;
		const [round, parked] = [this.#round, this.#parked];
		this.#questions = undefined;
		this.#round = undefined;
		this.#changed = Promise.withResolvers<void>();
		if (round !== undefined) this.#send(request, { ...round, requests: raw });
		else parked?.resume(this.#viewer, by_key);
	}

	/** The server is told to stop, and hears no answers any more. */
	breakOff(why: BrokenOff): void {
		this.#broken_off = why;
		this.#questions = undefined;
		this.#parked?.cancel();
		this.#cancel.abort();
		this.#changed.resolve();
	}

	readonly #viewer: RunViewer = {
		notify: () => undefined,
		inputRequired: (questions) => {
			this.#ask(inputRequestsJson(questions));
			// A server that waits for answers is not kept waiting for ever.
			const asked = this.#questions;
			this.#options.context.clock.afterIdle(parked_ms, () => {
				if (this.#questions === asked && asked !== undefined) this.breakOff("unanswered");
			});
		},
		finish: () => undefined,
	};

	#ask(questions: string): void {
		this.#questions = questions;
		this.#changed.resolve();
	}

	#send(request: Call, answered: Round | undefined): void {
		const { approval, context } = this.#options;
		const { clock, random, parked } = context;
		const cancel = new AbortController();
		const run = new ModernRun(this.#viewer, {
			cancel,
			defer: (fn) => void clock.after(gather_ms, fn),
			mayPark: () => !parked.full,
		});
		this.#cancel = cancel;
		this.#parked = run;
		const { principal, endpoint, client, trace_header } = request;
		const call = makeCall(
			{
				id: random.uuid(),
				principal,
				endpoint,
				client,
				message: callMessage(approval, request, answered),
				method: "tools/call",
				signal: cancel.signal,
				cancel,
				sink: run,
				trace_header,
			},
			clock,
		);
		// It is the call of this approval and opens no other, whatever became of this one meanwhile.
		call.notes.approval_id = approval.id;
		this.#over = this.#follow(call, run);
	}

	async #follow(call: Call, run: ModernRun): Promise<void> {
		const { context, send = runCall, onOver } = this.#options;
		const reply = await send(call, context);
		run.settle(reply);
		const round = this.#broken_off === undefined ? roundOf(reply) : undefined;
		if (round === undefined) {
			await onOver(this, call, reply);
			this.#changed.resolve();
			return;
		}
		this.#round = round;
		this.#ask(round.requests);
	}
}

/** The call as its caller made it; `_meta` is that of the request that asks about its task. */
function callMessage(approval: Approval, request: Call, answered: Round | undefined): Message {
	const { server, tool, asked } = approval;
	const { message, endpoint } = request;
	const name = endpoint.kind === "single" ? tool : exposedName(server, tool);
	const meta = memberSpan(message.params, "_meta");
	const members = [`"name":${JSON.stringify(name)}`, `"arguments":${asked}`];
	if (meta !== undefined) members.push(`"_meta":${rawText(message.bytes, meta)}`);
	if (answered !== undefined) {
		members.push(`"inputResponses":${answered.requests}`);
		if (answered.state !== undefined) members.push(`"requestState":${answered.state}`);
	}
	return composeRequest('"task"', "tools/call", `{${members.join(",")}}`);
}
