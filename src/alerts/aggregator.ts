import type { Clock } from "../lib/clock.ts";
import { ClockWatch } from "../lib/clock-watch.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type { Aggregate } from "../store/alert-repository.ts";
import type { StoreWriter } from "../store/repositories.ts";
import type { CallRecord } from "../telemetry/call-record.ts";
import { addEncoded, bucketOf, encodeLatencies, type Latencies, noLatencies } from "./latency.ts";

/** What rows of aggregates are about. */
export type AggregateKind =
	/** Calls of one tool: `server/tool`. */
	| "tool"
	/** Requests of one tenant. */
	| "tenant"
	/** Refused credentials and refused calls, by tenant; `-` for nobody in particular. */
	| "denied"
	/** Calls of what an endpoint does not offer, by endpoint. */
	| "unknown_tool"
	/** Tools that are described otherwise than before, by server. */
	| "drift"
	/** Lines, entries or spans that were lost, by where. */
	| "evidence_lost";

/** Stands for subjects that are too many. */
export const other_subject = "(other)";
/** Who is refused before it is known who it is. */
export const nobody = "-";

const minute_ms = 60_000;
const hour_ms = 60 * minute_ms;
/** Subjects of one kind between two writes. */
const subjects_max = 1_000;
const note_chars_max = 200;
/** Minutes are looked at for the last few of them only; hours are what is usual. */
export const minutes_kept_ms = 2 * hour_ms;
const hours_kept_ms = 8 * 24 * hour_ms;

/** What an aggregator is made of. */
export interface AggregatorOptions {
	readonly clock: Clock;
	readonly writer: StoreWriter;
	/** Takes secrets out of what callers wrote. */
	readonly redactor: Pick<Redactor, "text">;
}

interface Cell {
	calls: number;
	errors: number;
	latencies: Latencies | undefined;
	note: string;
}

/** Codes of refusals: whoever calls was not let in, or not let do it. */
const unknown_codes: ReadonlySet<string> = new Set(["not_offered"]);

/**
 * Adds calls up by minute and hour. On the way of a call it only counts in memory; what has come
 * together is written a few times a minute.
 */
export class CallAggregator {
	readonly #options: AggregatorOptions;
	readonly #cells = new Map<AggregateKind, Map<string, Cell>>();
	readonly #subjects = new Map<string, { readonly server: string; readonly subject: string }>();
	#purged_at_ms = Number.NEGATIVE_INFINITY;
	readonly #clock_watch: ClockWatch;

	constructor(options: AggregatorOptions) {
		this.#options = options;
		this.#clock_watch = new ClockWatch(options.clock);
	}

	/** Counts a call that is over. */
	count(record: CallRecord): void {
		const { code, decision } = record;
		const tenant = this.#cell("tenant", record.tenant);
		tenant.calls += 1;
		const failed = record.status === "server_error" || record.status === "timeout";
		if (failed) tenant.errors += 1;
		if (decision === "deny") this.note("denied", record.tenant, code ?? "denied");
		if (code !== undefined && unknown_codes.has(code)) {
			const what = `${record.method} "${record.name ?? ""}" by ${record.principal}`;
			this.note("unknown_tool", record.endpoint, what);
			return;
		}
		const { server, name } = record;
		if (record.method !== "tools/call" || server === undefined || name === undefined) return;
		// What the caller got wrong, or was refused, says nothing of the tool.
		if (record.status === "client_error") return;
		const tool = this.#cell("tool", this.#subjectOf(server, name));
		tool.calls += 1;
		if (failed) {
			tool.errors += 1;
			tool.note = code ?? record.status;
		}
		tool.latencies ??= noLatencies();
		const bucket = bucketOf(record.duration_ms);
		tool.latencies[bucket] = (tool.latencies[bucket] as number) + 1;
	}

	/** Counts something that happened, with a few words for people. */
	note(kind: AggregateKind, subject: string, note: string, times = 1): void {
		const cell = this.#cell(kind, subject);
		cell.calls += times;
		cell.note = this.#options.redactor.text(note).slice(0, note_chars_max).toWellFormed();
	}

	/** Writes what has come together; false where it could not be written yet. */
	async flush(): Promise<boolean> {
		const aggregates = this.#take();
		const { clock, writer } = this.#options;
		const now_ms = clock.now();
		// A clock that jumped may jump back: what is usual is not thrown away by its word.
		const purge = this.#clock_watch.jumped() === 0 && this.#isPurgeDue(now_ms);
		if (aggregates.length === 0 && !purge) return true;
		if (purge) this.#purged_at_ms = now_ms;
		return await writer.addDurably(async ({ alerts }) => {
			for (const [width, width_ms] of [
				["minute", minute_ms],
				["hour", hour_ms],
			] as const) {
				const start_ms = now_ms - (now_ms % width_ms);
				await alerts.add(width, start_ms, aggregates, mergeLatencies);
			}
			if (!purge) return;
			await alerts.removeAggregates("minute", now_ms - minutes_kept_ms);
			await alerts.removeAggregates("hour", now_ms - hours_kept_ms);
		});
	}

	#isPurgeDue(now_ms: number): boolean {
		return now_ms - this.#purged_at_ms > hour_ms || now_ms < this.#purged_at_ms;
	}

	/** `server/tool`: the text of the last call of that name, most often, which is found faster. */
	#subjectOf(server: string, name: string): string {
		const known = this.#subjects.get(name);
		if (known?.server === server) return known.subject;
		const subject = `${server}/${name}`;
		if (this.#subjects.size >= subjects_max) this.#subjects.clear();
		this.#subjects.set(name, { server, subject });
		return subject;
	}

	#cell(kind: AggregateKind, subject: string): Cell {
		let cells = this.#cells.get(kind);
		if (cells === undefined) this.#cells.set(kind, (cells = new Map()));
		let cell = cells.get(subject);
		if (cell !== undefined) return cell;
		const key = cells.size >= subjects_max ? other_subject : subject;
		cell = cells.get(key);
		if (cell === undefined) {
			cells.set(key, (cell = { calls: 0, errors: 0, latencies: undefined, note: "" }));
		}
		return cell;
	}

	#take(): Aggregate[] {
		const taken: Aggregate[] = [];
		for (const [kind, cells] of this.#cells) {
			for (const [subject, { calls, errors, latencies, note }] of cells) {
				const text = latencies === undefined ? "" : encodeLatencies(latencies);
				taken.push({ kind, subject, calls, errors, latencies: text, note });
			}
		}
		this.#cells.clear();
		return taken;
	}
}

function mergeLatencies(one: string, other: string): string {
	if (one === "" || other === "") return one + other;
	const sum = noLatencies();
	addEncoded(sum, one);
	addEncoded(sum, other);
	return encodeLatencies(sum);
}
