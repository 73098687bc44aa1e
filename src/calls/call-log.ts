import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../lib/clock.ts";
import { Hurry } from "../lib/pauses.ts";
import { SharedSlots } from "../lib/shared-slots.ts";
import { WorkerLink } from "../lib/worker-link.ts";
import { answeredLine } from "../telemetry/answered-line.ts";
import type { CallLine } from "../telemetry/call-line.ts";
import type { AnsweredRequest, CallRecord, Evidence } from "../telemetry/call-record.ts";
import type { LineRedactor } from "../telemetry/line-text.ts";
import { CallBatch } from "../telemetry/packed/call-batch.ts";
import { packCall } from "../telemetry/packed/pack-call.ts";
import { AnsweredRequests } from "./answered-requests.ts";
import { Lines } from "./lines.ts";
import type {
	CallsThreadData,
	CallsWorkerData,
	DoneMessage,
	Question,
	ToWorker,
} from "./messages.ts";
import type { CallPage, CallQuery } from "./query.ts";

/** What is told when lines could not be kept. */
export interface CallLogTrouble {
	/** Lines that were given up because too many waited for the disk. */
	readonly dropped: number;
	/** Lines that are not in the files, or not in the history, because the disk failed. */
	readonly failed: number;
	readonly error: string | undefined;
}

/** What a call log is made with. */
export interface CallLogOptions {
	readonly clock: Clock;
	readonly data: CallsWorkerData;
	/** Standard output, where lines go there too. */
	readonly stdout: { write(text: string): void } | undefined;
	readonly redactor: LineRedactor;
	/** What was lost since the last time; at most once a second. */
	readonly onTrouble: (trouble: CallLogTrouble) => void;
	/** Lines that may wait for the disk; 50,000 unless given. */
	readonly lines_waiting_max?: number;
}

/** How long a line is gathered with others, and how many at the most. */
const gather_ms = 200;
const gather_lines_max = 1_000;
/** Lines that may wait for the disk, where it is not said. */
const lines_waiting_default = 50_000;
/** Batches on their way while the thread keeps up. */
const in_flight_calm = 2;
/** Memory of lines on their way, and how many pieces of it are kept. */
const slot_bytes = 1024 * 1024;
const slots_max = 3;
const trouble_ms = 1_000;
/** A thread that has nothing to do for so long is ended: it takes megabytes. */
const rest_ms = 60_000;
/** How often one is started where nothing else needs it, to remove what is old. */
const trim_apart_ms = 3_600_000;

/** Lines on their way to the disk. */
interface InFlight {
	readonly batch: number;
	readonly lines: CallBatch;
}

/**
 * The call log: one line a call, to files, to standard output and into the history. Lines are
 * gathered and given to a thread of their own; nobody waits for them.
 */
export class CallLog implements Evidence {
	readonly #options: CallLogOptions;
	readonly #clock: Clock;
	readonly #answered: AnsweredRequests;
	readonly #link: WorkerLink<Question, DoneMessage>;
	readonly #hurry = new Hurry();
	/** Lines that wait to be sent. */
	#lines: CallBatch;
	readonly #slots = new SharedSlots(slot_bytes, slots_max);
	#gathering: Timer | undefined;
	#batch = 0;
	readonly #in_flight: InFlight[] = [];
	#in_flight_lines = 0;
	#trouble = { dropped: 0, failed: 0 };
	#trouble_told: Timer | undefined;
	#error: string | undefined;
	#closed = false;
	#resting: Timer | undefined;
	#used_at_ms = 0;
	#trimmed_at_ms: number;
	/** Since the start. */
	readonly totals = { lines: 0, dropped: 0, failed: 0 };

	constructor(options: CallLogOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#trimmed_at_ms = this.#clock.monotonic();
		this.#lines = this.#newBatch();
		this.#answered = new AnsweredRequests(options.clock, (request) => {
			const line = answeredLine(request, options.redactor);
			if (!this.#lines.fits(line)) this.#send();
			this.#lines.addText(line);
			this.#sendSoon();
		});
		this.#link = new WorkerLink<Question, DoneMessage>({
			clock: options.clock,
			start: () =>
				new Worker(new URL("./worker.ts", import.meta.url), {
					workerData: { ...options.data, hurry: this.#hurry.memory } satisfies CallsThreadData,
					name: "calls",
					resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 },
				}),
			onMessage: (message) => this.#done(message),
			onFallen: (error) => this.#fallen(error),
		});
	}

	after(record: CallRecord): undefined {
		if (this.#closed) return;
		const call = packCall(record, this.#options.redactor);
		if (!this.#lines.fits(call.text)) this.#send();
		this.#lines.add(call);
		this.#sendSoon();
	}

	answered(request: AnsweredRequest): void {
		if (!this.#closed) this.#answered.take(request);
	}

	#newBatch(): CallBatch {
		return new CallBatch(this.#slots, gather_lines_max);
	}

	#sendSoon(): void {
		if (this.#lines.rows >= gather_lines_max) this.#send();
		else this.#gathering ??= this.#clock.after(gather_ms, () => this.#send());
	}

	/** The latest calls that match; rejects where the history cannot be read or is off. */
	async find(query: CallQuery): Promise<CallPage> {
		if (this.#options.data.history === undefined) throw new Error("no history is kept");
		return (await this.#ask({ kind: "ask", ask: "find", query })) as CallPage;
	}

	/** One call by its id. */
	async get(call: string): Promise<CallLine | undefined> {
		if (this.#options.data.history === undefined) throw new Error("no history is kept");
		return (await this.#ask({ kind: "ask", ask: "get", call })) as CallLine | undefined;
	}

	/**
	 * Removes some of what is older than it is to be kept, or of what is more than that; returns how
	 * many calls. Without `by_age` nothing is too old.
	 */
	async trim({ by_age }: { readonly by_age: boolean }): Promise<number> {
		if (this.#options.data.history === undefined) return 0;
		if (!this.#link.runs) {
			// Where nothing is logged, no thread is started for it, but once in a while.
			if (this.#clock.monotonic() - this.#trimmed_at_ms < trim_apart_ms) return 0;
			this.#use();
		}
		this.#trimmed_at_ms = this.#clock.monotonic();
		return (await this.#link.ask({
			kind: "ask",
			ask: "trim",
			now_ms: by_age ? this.#clock.now() : 0,
		})) as number;
	}

	/** Every line so far is kept, or lost, when this resolves. */
	async flush(): Promise<void> {
		this.#send();
		if (this.#in_flight.length === 0) return;
		await this.#hurry.during(this.#link.until(this.#batch));
	}

	/** Asks about calls, those of now included. */
	#ask(question: Question): Promise<unknown> {
		this.#send();
		this.#use();
		return this.#hurry.during(this.#link.ask(question));
	}

	/** The thread does not pause where lines come faster than it keeps them. */
	#tellHurry(): void {
		this.#hurry.set(this.#in_flight.length > in_flight_calm);
	}

	/** Writes what waits and ends the thread. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#answered.flush();
		await this.flush();
		this.#closed = true;
		this.#resting?.cancel();
		await this.#link.end({ kind: "ask", ask: "close" });
		this.#trouble_told?.cancel();
		this.#tellTrouble();
	}

	#send(): void {
		this.#gathering?.cancel();
		this.#gathering = undefined;
		const lines = this.#lines;
		if (lines.rows === 0) return;
		this.#lines = this.#newBatch();
		const packed = lines.message();
		const { stdout } = this.#options;
		if (stdout !== undefined) {
			for (const piece of new Lines([packed]).pieces()) stdout.write(piece.toString("utf8"));
		}
		const worker = this.#takerOf(lines.rows);
		if (worker === undefined) {
			lines.release();
			return;
		}
		this.#use();
		this.#batch += 1;
		const batch = this.#batch;
		this.#in_flight.push({ batch, lines });
		this.#in_flight_lines += lines.rows;
		this.#tellHurry();
		worker.postMessage({ kind: "lines", batch, packed } satisfies ToWorker, []);
	}

	/** Somebody needs the thread. */
	#use(): void {
		this.#used_at_ms = this.#clock.monotonic();
		this.#restLater(rest_ms);
	}

	#restLater(delay_ms: number): void {
		this.#resting ??= this.#clock.afterIdle(delay_ms, () => {
			this.#resting = undefined;
			void this.#restIfIdle();
		});
	}

	async #restIfIdle(): Promise<void> {
		const left_ms = this.#used_at_ms + rest_ms - this.#clock.monotonic();
		if (left_ms > 0) return this.#restLater(left_ms);
		await this.#link.rest({ kind: "ask", ask: "close" }, () => this.#in_flight.length === 0);
		if (this.#link.runs && !this.#closed) this.#restLater(rest_ms);
	}

	/** Who keeps so many more lines; undefined where nobody does, which is counted. */
	#takerOf(lines: number): Worker | undefined {
		const { file, history } = this.#options.data;
		if (file === undefined && history === undefined) {
			this.totals.lines += lines;
			return undefined;
		}
		const waiting_max = this.#options.lines_waiting_max ?? lines_waiting_default;
		if (this.#in_flight_lines + lines > waiting_max) {
			this.#lose({ dropped: lines });
			return undefined;
		}
		const worker = this.#link.worker();
		if (worker === undefined) this.#lose({ failed: lines });
		return worker;
	}

	#done({ batch, file_error, history_error, history_lost }: DoneMessage): void {
		const error = file_error ?? history_error;
		this.#error = error ?? this.#error;
		let rows = 0;
		while ((this.#in_flight[0]?.batch ?? Number.POSITIVE_INFINITY) <= batch) {
			const { lines } = this.#in_flight.shift() as InFlight;
			lines.release();
			this.#in_flight_lines -= lines.rows;
			rows += lines.rows;
		}
		const only_some = file_error === undefined && history_lost > 0;
		const failed = error === undefined ? 0 : only_some ? history_lost : rows;
		this.totals.lines += rows - failed;
		if (failed > 0) this.#lose({ failed });
		this.#tellHurry();
		this.#tellFlushed();
	}

	#tellFlushed(): void {
		this.#link.reached(this.#in_flight[0]?.batch ?? Number.POSITIVE_INFINITY);
	}

	#fallen(error: Error | undefined): void {
		this.#error = error?.message ?? "the thread ended";
		for (const { lines } of this.#in_flight.splice(0)) this.#lose({ failed: lines.rows });
		this.#in_flight_lines = 0;
		this.#tellHurry();
		this.#tellFlushed();
	}

	#lose({ dropped = 0, failed = 0 }: { dropped?: number; failed?: number }): void {
		for (const sum of [this.#trouble, this.totals]) {
			sum.dropped += dropped;
			sum.failed += failed;
		}
		if (this.#closed) return;
		this.#trouble_told ??= this.#clock.afterIdle(trouble_ms, () => this.#tellTrouble());
	}

	#tellTrouble(): void {
		this.#trouble_told = undefined;
		const { dropped, failed } = this.#trouble;
		if (dropped + failed === 0) return;
		this.#trouble = { dropped: 0, failed: 0 };
		this.#options.onTrouble({ dropped, failed, error: this.#error });
	}
}
