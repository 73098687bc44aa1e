import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../lib/clock.ts";
import { type SharedSlot, SharedSlots } from "../lib/shared-slots.ts";
import type { Redactor } from "../secrets/redactor.ts";
import { type CallLine, callLine } from "../telemetry/call-line.ts";
import type { CallRecord, Evidence } from "../telemetry/call-record.ts";
import type {
	AnswerMessage,
	CallsWorkerData,
	DoneMessage,
	FromWorker,
	QuestionMessage,
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
	readonly redactor: Pick<Redactor, "text">;
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
/** Memory of lines on their way, and how many pieces of it are kept. */
const slot_bytes = 1024 * 1024;
const slots_max = 3;
const newline = 0x0a;
const restart_ms = 1_000;
const trouble_ms = 1_000;

/** Lines on their way to the disk. */
interface InFlight {
	readonly batch: number;
	readonly lines: number;
	readonly slot: SharedSlot;
}

/**
 * The call log: one line a call, to files, to standard output and into the history. Lines are
 * gathered and given to a thread of their own; nobody waits for them.
 */
export class CallLog implements Evidence {
	readonly #options: CallLogOptions;
	readonly #clock: Clock;
	#worker: Worker | undefined;
	#restart_at_ms = 0;
	/** Lines that wait to be sent, and how far they reach. */
	#slot: SharedSlot | undefined;
	#length_bytes = 0;
	#lines = 0;
	readonly #slots = new SharedSlots(slot_bytes, slots_max);
	#gathering: Timer | undefined;
	#batch = 0;
	readonly #in_flight: InFlight[] = [];
	#in_flight_lines = 0;
	readonly #flushed: { readonly batch: number; readonly resolve: () => void }[] = [];
	readonly #questions = new Map<number, (answer: AnswerMessage) => void>();
	#question = 0;
	#trouble = { dropped: 0, failed: 0 };
	#trouble_told: Timer | undefined;
	#error: string | undefined;
	#closed = false;
	/** Since the start. */
	readonly totals = { lines: 0, dropped: 0, failed: 0 };

	constructor(options: CallLogOptions) {
		this.#options = options;
		this.#clock = options.clock;
	}

	after(record: CallRecord): undefined {
		if (this.#closed) return;
		const line = callLine(record, this.#safe);
		// UTF-8 has at most three bytes for a unit of a JavaScript text.
		if (this.#length_bytes + line.length * 3 + 1 > slot_bytes) this.#send();
		this.#slot ??= this.#slots.take();
		const { bytes } = this.#slot;
		this.#length_bytes += bytes.write(line, this.#length_bytes, "utf8");
		bytes[this.#length_bytes] = newline;
		this.#length_bytes += 1;
		this.#lines += 1;
		if (this.#lines >= gather_lines_max) this.#send();
		else this.#gathering ??= this.#clock.after(gather_ms, () => this.#send());
	}

	/** The latest calls that match; rejects where the history cannot be read or is off. */
	async find(query: CallQuery): Promise<CallPage> {
		if (this.#options.data.history === undefined) throw new Error("no history is kept");
		this.#send();
		return (await this.#ask({ kind: "ask", ask: "find", query })) as CallPage;
	}

	/** One call by its id. */
	async get(call: string): Promise<CallLine | undefined> {
		if (this.#options.data.history === undefined) throw new Error("no history is kept");
		this.#send();
		return (await this.#ask({ kind: "ask", ask: "get", call })) as CallLine | undefined;
	}

	/** Removes some of what is older than it is to be kept; returns how many calls. */
	async trim(): Promise<number> {
		// Where nothing was logged since the start, no thread is started for it.
		if (this.#options.data.history === undefined || this.#worker === undefined) return 0;
		return (await this.#ask({ kind: "ask", ask: "trim", now_ms: this.#clock.now() })) as number;
	}

	/** Every line so far is kept, or lost, when this resolves. */
	async flush(): Promise<void> {
		this.#send();
		if (this.#in_flight.length === 0) return;
		const batch = this.#batch;
		this.#worker?.ref();
		await new Promise<void>((resolve) => this.#flushed.push({ batch, resolve }));
		this.#worker?.unref();
	}

	/** Writes what waits and ends the thread. */
	async close(): Promise<void> {
		if (this.#closed) return;
		await this.flush();
		this.#closed = true;
		const worker = this.#worker;
		worker?.ref();
		if (worker !== undefined) await this.#ask({ kind: "ask", ask: "close" }).catch(() => 0);
		this.#worker = undefined;
		await worker?.terminate();
		this.#trouble_told?.cancel();
		this.#tellTrouble();
	}

	readonly #safe = (text: string): string => this.#options.redactor.text(text);

	#send(): void {
		this.#gathering?.cancel();
		this.#gathering = undefined;
		const [slot, lines, length_bytes] = [this.#slot, this.#lines, this.#length_bytes];
		if (slot === undefined) return;
		this.#slot = undefined;
		this.#lines = 0;
		this.#length_bytes = 0;
		this.#options.stdout?.write(slot.bytes.toString("utf8", 0, length_bytes));
		const worker = this.#takerOf(lines);
		if (worker === undefined) {
			this.#slots.giveBack(slot);
			return;
		}
		this.#batch += 1;
		const batch = this.#batch;
		this.#in_flight.push({ batch, lines, slot });
		this.#in_flight_lines += lines;
		const { memory } = slot;
		worker.postMessage({ kind: "lines", batch, memory, length_bytes } satisfies ToWorker, []);
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
		const worker = this.#started();
		if (worker === undefined) this.#lose({ failed: lines });
		return worker;
	}

	#started(): Worker | undefined {
		if (this.#worker !== undefined) return this.#worker;
		if (this.#clock.monotonic() < this.#restart_at_ms) return undefined;
		const worker = new Worker(new URL("./worker.ts", import.meta.url), {
			workerData: this.#options.data,
			name: "calls",
			resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 },
		});
		worker.on("message", (message: FromWorker) => this.#hear(message));
		worker.on("error", (error) => this.#fallen(worker, error));
		worker.on("exit", () => this.#fallen(worker, undefined));
		worker.unref();
		this.#worker = worker;
		return worker;
	}

	#hear(message: FromWorker): void {
		if (message.kind === "done") {
			this.#done(message);
			return;
		}
		this.#questions.get(message.id)?.(message);
		this.#questions.delete(message.id);
	}

	#done({ batch, file_error, history_error }: DoneMessage): void {
		const error = file_error ?? history_error;
		this.#error = error ?? this.#error;
		while ((this.#in_flight[0]?.batch ?? Number.POSITIVE_INFINITY) <= batch) {
			const { lines, slot } = this.#in_flight.shift() as InFlight;
			this.#slots.giveBack(slot);
			this.#in_flight_lines -= lines;
			if (error === undefined) this.totals.lines += lines;
			else this.#lose({ failed: lines });
		}
		this.#tellFlushed();
	}

	#tellFlushed(): void {
		const oldest = this.#in_flight[0]?.batch ?? Number.POSITIVE_INFINITY;
		while ((this.#flushed[0]?.batch ?? Number.POSITIVE_INFINITY) < oldest) {
			this.#flushed.shift()?.resolve();
		}
	}

	#fallen(worker: Worker, error: Error | undefined): void {
		if (this.#worker !== worker) return;
		this.#worker = undefined;
		this.#restart_at_ms = this.#clock.monotonic() + restart_ms;
		this.#error = error?.message ?? "the thread ended";
		for (const { lines } of this.#in_flight.splice(0)) this.#lose({ failed: lines });
		this.#in_flight_lines = 0;
		this.#tellFlushed();
		for (const [id, answer] of this.#questions) {
			answer({ kind: "answer", id, value: undefined, error: this.#error });
		}
		this.#questions.clear();
	}

	#ask(question: Question): Promise<unknown> {
		const worker = this.#started();
		if (worker === undefined) return Promise.reject(new Error("the call log is not running"));
		this.#question += 1;
		const id = this.#question;
		return new Promise((resolve, reject) => {
			this.#questions.set(id, ({ value, error }) => {
				if (error === undefined) resolve(value);
				else reject(new Error(error));
			});
			worker.postMessage({ ...question, id } satisfies ToWorker, []);
		});
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

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown
	? Omit<Union, Key>
	: never;
type Question = DistributiveOmit<QuestionMessage, "id">;
