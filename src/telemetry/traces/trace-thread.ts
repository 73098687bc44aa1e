import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../lib/clock.ts";
import { Hurry } from "../../lib/pauses.ts";
import { SharedSlots } from "../../lib/shared-slots.ts";
import { atEndOfTurn } from "../../lib/turn.ts";
import { WorkerLink } from "../../lib/worker-link.ts";
import type { CallRecord } from "../call-record.ts";
import type { LineRedactor } from "../line-text.ts";
import { CallBatch } from "../packed/call-batch.ts";
import { packCall } from "../packed/pack-call.ts";
import {
	type FromWorker,
	type Question,
	type ToWorker,
	type TraceThreadData,
	type TraceWorkerData,
	traces_waiting_max,
} from "./messages.ts";
import type { Keep } from "./tail.ts";

/** What a thread for traces is made with. */
export interface TraceThreadOptions {
	readonly clock: Clock;
	readonly data: TraceWorkerData;
	readonly redactor: LineRedactor;
	/** Batches that were handed to the collector, taken or not. */
	onBatches(batches: number): void;
	/** Ordinary calls whose traces were left out, so that notable ones have room. */
	onShed(calls: number): void;
	/** Calls whose traces were given up, and why. */
	onLost(calls: number, why: string): void;
	/** Calls that may wait for the collector; 8,192 unless given. */
	readonly calls_waiting_max?: number;
}

/** How long a call is gathered with others, and how many at the most. */
const gather_ms = 200;
const gather_calls_max = 1_000;
const calls_waiting_default = traces_waiting_max;
/** Calls that wait while the thread keeps up. */
const waiting_calm_max = 3 * gather_calls_max;
/** The share of the places that ordinary calls may take. */
const ordinary_share = 0.5;
/** Memory of calls on their way, and how many pieces of it are kept. */
const slot_bytes = 512 * 1024;
const slots_max = 3;

interface InFlight {
	readonly batch: number;
	readonly calls: CallBatch;
}

/**
 * Gives calls to a thread of their own, which makes traces of them and sends them to the collector:
 * that takes as much as all other evidence of a call together.
 *
 * A call waits from here until the thread sends it. Where more come than the collector takes,
 * ordinary ones are left out first, before anything is done for them.
 */
export class TraceThread {
	readonly #options: TraceThreadOptions;
	readonly #waiting_max: number;
	readonly #link: WorkerLink<Question, FromWorker>;
	readonly #hurry = new Hurry();
	readonly #slots = new SharedSlots(slot_bytes, slots_max);
	#calls: CallBatch;
	#gathering: Timer | undefined;
	#batch = 0;
	readonly #in_flight: InFlight[] = [];
	/** Calls that were given to the thread and not yet sent by it. */
	#waiting_there = 0;
	/** What has not been told yet. */
	#shed = 0;
	#crowded_out = 0;
	#is_telling = false;
	#is_closed = false;

	constructor(options: TraceThreadOptions) {
		this.#options = options;
		this.#waiting_max = options.calls_waiting_max ?? calls_waiting_default;
		this.#calls = this.#newBatch();
		this.#link = new WorkerLink<Question, FromWorker>({
			clock: options.clock,
			start: () =>
				new Worker(new URL("./worker.ts", import.meta.url), {
					workerData: { ...options.data, hurry: this.#hurry.memory } satisfies TraceThreadData,
					name: "traces",
					resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
				}),
			onMessage: (message) => this.#hear(message),
			onFallen: (error) => this.#fallen(error),
		});
	}

	/** Takes a call that is to become a trace. Never waits and never throws. */
	add(record: CallRecord, keep: Exclude<Keep, "no">): void {
		if (this.#is_closed) return;
		const waiting = this.#waiting_there + this.#calls.rows;
		if (keep === "ordinary" && waiting >= this.#waiting_max * ordinary_share) {
			this.#shed += 1;
			return this.#tellLater();
		}
		if (waiting >= this.#waiting_max) {
			this.#crowded_out += 1;
			return this.#tellLater();
		}
		// So that it is there by the time this is sent: where nothing is traced there is none, since
		// a thread takes ten megabytes.
		this.#link.worker();
		const call = packCall(record, this.#options.redactor);
		if (!this.#calls.fits(call.text)) this.#send();
		this.#calls.add(call);
		if (this.#calls.rows >= gather_calls_max) this.#send();
		else this.#gathering ??= this.#options.clock.afterIdle(gather_ms, () => this.#send());
	}

	/** Sends what waits as far as this much time allows, and ends. */
	async close(wait_ms: number): Promise<void> {
		if (this.#is_closed) return;
		this.#send();
		this.#is_closed = true;
		this.#hurry.set(true);
		await this.#link.end({ kind: "ask", wait_ms });
		this.#tell();
	}

	#newBatch(): CallBatch {
		return new CallBatch(this.#slots, gather_calls_max);
	}

	#send(): void {
		this.#gathering?.cancel();
		this.#gathering = undefined;
		const calls = this.#calls;
		if (calls.rows === 0) return;
		this.#calls = this.#newBatch();
		const worker = this.#link.worker();
		if (worker === undefined) {
			calls.release();
			this.#options.onLost(calls.rows, "the thread for traces has ended");
			return;
		}
		this.#batch += 1;
		const batch = this.#batch;
		this.#in_flight.push({ batch, calls });
		this.#waiting_there += calls.rows;
		this.#tellHurry();
		const message: ToWorker = { kind: "calls", batch, packed: calls.message() };
		worker.postMessage(message, []);
	}

	/** It does not pause where calls come faster than it makes traces of them. */
	#tellHurry(): void {
		this.#hurry.set(this.#waiting_there > waiting_calm_max);
	}

	#hear(message: FromWorker): void {
		if (message.kind === "news") {
			this.#waiting_there -= message.left;
			this.#tellHurry();
			if (message.batches > 0) this.#options.onBatches(message.batches);
			if (message.lost > 0) this.#options.onLost(message.lost, message.why);
			return;
		}
		while ((this.#in_flight[0]?.batch ?? Number.POSITIVE_INFINITY) <= message.batch) {
			this.#in_flight.shift()?.calls.release();
		}
	}

	#fallen(error: Error | undefined): void {
		const calls = this.#waiting_there;
		this.#in_flight.length = 0;
		this.#waiting_there = 0;
		if (calls > 0) this.#options.onLost(calls, error?.message ?? "the thread for traces has ended");
	}

	#tellLater(): void {
		if (this.#is_telling) return;
		this.#is_telling = true;
		atEndOfTurn(() => this.#tell());
	}

	#tell(): void {
		this.#is_telling = false;
		const [shed, crowded_out] = [this.#shed, this.#crowded_out];
		this.#shed = 0;
		this.#crowded_out = 0;
		if (shed > 0) this.#options.onShed(shed);
		if (crowded_out > 0) this.#options.onLost(crowded_out, "too much waits for the collector");
	}
}
