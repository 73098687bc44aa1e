import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CallLog } from "../../calls/call-log.ts";
import { type CallsPlan, default_calls } from "../../config/evidence-plan.ts";
import type { Plan } from "../../config/plan.ts";
import type { Timer } from "../../lib/clock.ts";
import { ClockWatch } from "../../lib/clock-watch.ts";
import type { AnsweredRequest, CallRecord } from "../../telemetry/call-record.ts";
import { LogSink } from "../../telemetry/log-sink.ts";
import type { Wing, WingParts } from "../wings.ts";

/** The folder of the call log and the history in a data folder. */
export const calls_folder = "calls";

const stdout_fd = 1;
const day_ms = 24 * 3_600_000;
/** How often old calls are removed, and how soon again while there are more. */
const trim_ms = 60_000;
const trim_again_ms = 250;

/** The call log and the history. */
export class CallsWing implements Wing {
	readonly evidence = [
		{
			after: (record: CallRecord) => (this.#keeps ? this.#log?.after(record) : undefined),
			answered: (request: AnsweredRequest) =>
				this.#keeps ? this.#log?.answered(request) : undefined,
		},
	];
	readonly #parts: WingParts;
	#plan: CallsPlan;
	#log: CallLog | undefined;
	#stdout: LogSink | undefined;
	#timer: Timer | undefined;
	#is_over = false;
	readonly #clock_watch: ClockWatch;
	/** The end of a log with other settings. */
	#closing: Promise<void> = Promise.resolve();

	constructor(parts: WingParts) {
		this.#parts = parts;
		this.#plan = parts.plan().calls ?? default_calls;
		this.#clock_watch = new ClockWatch(parts.options.clock);
	}

	/** Where neither a file, nor standard output, nor the store is to have lines, none is made. */
	get #keeps(): boolean {
		const { log_to_file, log_to_stdout, history } = this.#plan;
		return log_to_file || log_to_stdout || history;
	}

	/** The log; undefined where nothing is kept. */
	get log(): CallLog | undefined {
		return this.#log;
	}

	/** Lines that standard output did not take. */
	get stdout_lost(): number {
		return this.#stdout?.lines_lost ?? 0;
	}

	start(): void {
		this.#log = this.#open();
		this.#trimLater(trim_ms);
	}

	use(plan: Plan): void {
		const wanted = plan.calls ?? default_calls;
		if (this.#log === undefined || isDeepStrictEqual(wanted, this.#plan)) return;
		this.#plan = wanted;
		const before = this.#log;
		this.#closing = Promise.all([this.#closing, before.close()]).then(() => undefined);
		this.#log = this.#open();
	}

	lost(): Readonly<Record<string, number>> {
		const { dropped = 0, failed = 0 } = this.#log?.totals ?? {};
		return { calls: dropped + failed + this.stdout_lost };
	}

	async stop(): Promise<void> {
		this.#is_over = true;
		this.#timer?.cancel();
		await this.#closing;
		await this.#log?.close();
		await this.#stdout?.flush();
	}

	#open(): CallLog {
		const { clock, log } = this.#parts.options;
		const { log_to_file, log_to_stdout, history, keep_days, calls_max } = this.#plan;
		const { file_bytes_max: bytes_max, files_max } = this.#plan;
		if (log_to_stdout) this.#stdout ??= this.#openStdout();
		const stdout = this.#stdout;
		return new CallLog({
			clock,
			data: {
				folder: join(this.#parts.plan().data, calls_folder),
				file: log_to_file ? { bytes_max, files_max } : undefined,
				history: history ? { keep_ms: keep_days * day_ms, calls_max } : undefined,
			},
			stdout: log_to_stdout ? stdout : undefined,
			redactor: this.#parts.redactor,
			onTrouble: (trouble) => {
				log.error({ ...trouble }, "lines of the call log were lost");
				this.#parts.live.publish("evidence_lost", { kind: "calls", ...trouble });
			},
		});
	}

	#openStdout(): LogSink {
		const { clock, log } = this.#parts.options;
		const sink = new LogSink({ clock, target: stdout_fd });
		const tell = (dropped: number, failed: number, error: string | undefined) =>
			this.#parts.live.publish("evidence_lost", { kind: "calls", dropped, failed, error });
		sink.onDropped = (lines) => {
			log.error({ lines }, "standard output was too slow: lines of the call log were dropped");
			tell(lines, 0, undefined);
		};
		sink.onGone = (error) => {
			const lines = sink.lines_lost;
			log.error({ error, lines }, "standard output is gone: no line of the call log gets there");
			tell(0, lines, error);
		};
		return sink;
	}

	#trimLater(delay_ms: number): void {
		if (this.#is_over) return;
		const { clock, log } = this.#parts.options;
		this.#timer = clock.afterIdle(delay_ms, () => {
			// A clock that jumped may jump back: nothing is thrown away by its word.
			const by_age = this.#clock_watch.jumped() === 0;
			const trimming = this.#log?.trim({ by_age }) ?? Promise.resolve(0);
			trimming.then(
				(removed) => this.#trimLater(removed > 0 ? trim_again_ms : trim_ms),
				(error: unknown) => {
					log.warn({ err: error }, "old calls could not be removed from the history");
					this.#trimLater(trim_ms);
				},
			);
		});
	}
}
