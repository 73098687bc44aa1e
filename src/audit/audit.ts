import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../lib/clock.ts";
import { Hurry } from "../lib/pauses.ts";
import { SharedSlots } from "../lib/shared-slots.ts";
import { atEndOfTurn } from "../lib/turn.ts";
import { WorkerLink } from "../lib/worker-link.ts";
import type { KnownSecrets } from "../secrets/redactor.ts";
import type { CallRecord, Evidence } from "../telemetry/call-record.ts";
import type { LineRedactor } from "../telemetry/line-text.ts";
import { packCall } from "../telemetry/packed/pack-call.ts";
import {
	type AdminEntry,
	adminIntent,
	adminOutcome,
	isList,
	keepsPayload,
	ownerOf,
	purposes,
} from "./entries.ts";
import type {
	AuditThreadData,
	AuditWorkerData,
	OwnerTuple,
	Question,
	TimedDoneMessage,
} from "./messages.ts";
import { type Entry, Outgoing } from "./outgoing.ts";
import { headOf, SecretNews } from "./payload-redaction.ts";

/** What is told when evidence could not be kept. */
export interface AuditTrouble {
	/** Entries that are not in the log. */
	readonly entries_lost: number;
	/** Entries that are, without their payloads. */
	readonly payloads_lost: number;
	/** Acknowledgements that were not waited for, because the disk took too long. */
	readonly late: number;
	/** Code of the last error of the disk, where there was one. */
	readonly error: string | undefined;
}

/** What an audit is made with. */
export interface AuditOptions {
	readonly clock: Clock;
	readonly data: AuditWorkerData;
	/** Whether a call that cannot be written down is refused. */
	readonly required: boolean;
	/** Takes secrets out of lines, and knows those that are to be taken out of payloads. */
	readonly redactor: LineRedactor & KnownSecrets;
	/** What was lost since the last time; at most once a second. */
	readonly onTrouble: (trouble: AuditTrouble) => void;
	/** How long the thread took for an append, the wait for the disk included. */
	readonly onAppended?: (append_ms: number) => void;
	/** How long one waits for the disk; 1 s unless given. */
	readonly wait_ms_max?: number;
	/** The end of the one who wrote to this log before. */
	readonly after?: Promise<void>;
}

/** Entries and payloads that may be on their way to the disk at one time. */
const entries_in_flight_max = 50_000;
const payload_bytes_in_flight_max = 32 * 1024 * 1024;
/**
 * How long an entry of which nobody waits is gathered with others: each append costs as much as
 * some fifty entries in it. It leaves the disk 30 of 100 ms.
 */
const gather_ms = 70;
const gather_entries_max = 500;
const gather_bytes_max = 1024 * 1024;
/**
 * Batches on their way at one time. The thread appends whatever has arrived as one, so that calls
 * do not wait for each other here; beyond this they do, and go together once a batch is done:
 * each takes memory and a message.
 */
const batches_max = 8;
/** Batches on their way while the thread keeps up. */
const batches_calm = 2;
/** Memory of entries on their way, and how many pieces are kept: two for each of the batches. */
const slot_bytes = 256 * 1024;
const slots_max = 2 * (batches_max + 1);
const trouble_ms = 1_000;
/** A thread that was started ahead and that nothing came for is ended: it takes megabytes. */
const expect_ms = 60_000;

/** All who wait for the entries of one batch, which have one promise together. */
interface Waiters {
	count: number;
	/** They do not wait any more: the disk took too long. */
	is_over: boolean;
	/** Ends the waiting where the disk has no end. */
	readonly timer: Timer;
	readonly written: Promise<void>;
	/** The same for those whom it does not concern whether it came about. */
	readonly settled: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

interface Batch {
	readonly number: number;
	readonly entries: number;
	readonly payload_bytes: number;
	/** More than one where some did not wait any more when it was sent. */
	readonly waiters: readonly Waiters[];
	/** Has the memory that the thread reads. */
	readonly outgoing: Outgoing;
}

/**
 * The audit log, as the gateway sees it. What it hands over goes to a thread of its own, which
 * redacts, seals, chains and writes it; several calls share one wait for the disk.
 */
export class Audit implements Evidence {
	readonly #options: AuditOptions;
	readonly #clock: Clock;
	readonly #link: WorkerLink<Question, TimedDoneMessage>;
	readonly #hurry = new Hurry();
	readonly #slots = new SharedSlots(slot_bytes, slots_max);
	#outgoing = new Outgoing(this.#slots);
	#waiters: Waiters[] = [];
	#is_flushing = false;
	/** Whether something is to be sent as soon as a batch is done. */
	#is_overdue = false;
	/** Whether another one still writes to the log. */
	#is_waiting: boolean;
	#gathering: Timer | undefined;
	/** As long as the thread was started ahead and nothing has come yet. */
	#expecting: Timer | undefined;
	#batch = 0;
	/** Batches on their way, oldest first. */
	readonly #in_flight: Batch[] = [];
	#in_flight_entries = 0;
	#in_flight_bytes = 0;
	readonly #secrets: SecretNews;
	/** Calls whose intent is written. */
	readonly #intents = new Set<string>();
	#trouble = { entries_lost: 0, payloads_lost: 0, late: 0 };
	#trouble_told: Timer | undefined;
	/** Given up before they were sent; the log is told. */
	#unsent = 0;
	#closed = false;
	/** Everything that was lost since the start. */
	readonly totals = { entries: 0, entries_lost: 0, payloads_lost: 0, late: 0 };
	/** Code of the error the last append ended with; undefined while all is well. */
	failing: string | undefined;

	constructor(options: AuditOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#secrets = new SecretNews(options.redactor);
		this.#link = new WorkerLink<Question, TimedDoneMessage>({
			clock: options.clock,
			start: () =>
				new Worker(new URL("./worker.ts", import.meta.url), {
					workerData: { ...options.data, hurry: this.#hurry.memory } satisfies AuditThreadData,
					name: "audit",
					// What it needs at the most; a thread's own default is a share of the machine's memory.
					resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 16 },
				}),
			onMessage: (message) => this.#done(message),
			onFallen: (error) => this.#fallen(error),
		});
		this.#is_waiting = options.after !== undefined;
		void options.after?.finally(() => {
			this.#is_waiting = false;
			this.#flush();
		});
	}

	/** Whether a call that cannot be written down is refused. */
	get is_required(): boolean {
		return this.#options.required;
	}

	/**
	 * Entries are likely to come: starts the thread, so that the first of them does not wait for
	 * that. It opens no log before: who gives up meanwhile has written nothing.
	 */
	expect(): void {
		if (this.#closed || this.#is_waiting || this.#link.runs) return;
		if (this.#link.worker() === undefined) return;
		this.#expecting = this.#clock.afterIdle(expect_ms, () => {
			this.#expecting = undefined;
			const is_idle = () => this.#in_flight.length + this.#outgoing.entries === 0;
			void this.#link.rest({ kind: "ask", ask: "close" }, is_idle);
		});
	}

	/** Before a call that may change something. */
	before(record: CallRecord): Promise<void> | undefined {
		// Lists and pings tell nothing that is kept; they go on also where nothing can be.
		if (isList(record.method)) return undefined;
		this.#intents.add(record.id);
		const { redactor } = this.#options;
		const input = keepsPayload(record.method) ? this.#payload(record.request()) : undefined;
		const what = packCall(record, redactor);
		const owner = ownerOf(record);
		return this.#written({ what, purpose: purposes.intent, owner, input, output: undefined });
	}

	/** When the reply of a call is known. */
	after(record: CallRecord): Promise<void> | undefined {
		// Before anything that may fail: what is left here stays for good.
		const has_intent = this.#intents.delete(record.id);
		const keeps = keepsPayload(record.method);
		const output = keeps ? this.#payload(record.reply()) : undefined;
		const owner = ownerOf(record);
		const what = packCall(record, this.#options.redactor);
		if (has_intent) {
			const outcome = { what, purpose: purposes.outcome, owner, input: undefined, output };
			return this.#put(outcome)?.settled;
		}
		const input = keeps ? this.#payload(record.request()) : undefined;
		this.#gather({ what, purpose: purposes.call, owner, input, output });
		return undefined;
	}

	/** Writes down what an administrator is about to do. Rejects like `before`. */
	beginAction(entry: AdminEntry, before: string | undefined): Promise<void> {
		const input = before === undefined ? undefined : this.#payload(Buffer.from(before));
		const owner: OwnerTuple = [entry.tenant_id, entry.user, "admin"];
		const what = adminIntent(entry);
		return this.#written({ what, purpose: purposes.intent, owner, input, output: undefined });
	}

	/** Writes down what came of it. */
	endAction(entry: AdminEntry, after: string | undefined): Promise<void> {
		const output = after === undefined ? undefined : this.#payload(Buffer.from(after));
		const owner: OwnerTuple = [entry.tenant_id, entry.user, "admin"];
		const what = adminOutcome(entry);
		const purpose = purposes.outcome;
		const waiting = this.#put({ what, purpose, owner, input: undefined, output });
		return waiting?.settled ?? Promise.resolve();
	}

	/** Destroys the keys to a person's payloads; returns how many there were. */
	async erase(tenant: string, user: string): Promise<number> {
		return (await this.#ask({ kind: "ask", ask: "erase", tenant, user })) as number;
	}

	/** Lets go of what is older than it is to be kept. */
	async retain(): Promise<void> {
		await this.#ask({ kind: "ask", ask: "retain", now_ms: this.#clock.now() });
	}

	/** Everything so far is on the disk, or lost, when this resolves. */
	async flush(): Promise<void> {
		await this.#options.after;
		this.#flush();
		if (this.#in_flight.length === 0) return;
		await this.#hurry.during(this.#link.until(this.#batch));
	}

	/** Writes what waits, signs the log and ends the thread. */
	async close(): Promise<void> {
		if (this.#closed) return;
		await this.flush();
		this.#closed = true;
		this.#expecting?.cancel();
		await this.#link.end({ kind: "ask", ask: "close" });
		this.#trouble_told?.cancel();
		this.#tellTrouble();
	}

	/** What of a payload goes to the thread, which takes the secrets out of it. */
	#payload(bytes: Buffer | undefined): Buffer | undefined {
		return bytes && headOf(bytes, this.#options.data.payload_bytes_max);
	}

	/** An entry that is to be written before something else is done. */
	#written(entry: Entry): Promise<void> {
		const waiting = this.#put(entry);
		if (waiting !== undefined) return waiting.written;
		if (!this.#options.required) return Promise.resolve();
		return Promise.reject(new Error("too many audit entries wait for the disk"));
	}

	/** An entry that somebody waits for; undefined where it is lost already. */
	#put(entry: Entry): Waiters | undefined {
		if (!this.#add(entry)) return undefined;
		let waiters = this.#waiters.at(-1);
		if (waiters === undefined || waiters.is_over) {
			waiters = this.#newWaiters();
			this.#waiters.push(waiters);
		}
		waiters.count += 1;
		if (!this.#is_flushing) {
			this.#is_flushing = true;
			atEndOfTurn(() => this.#flushIfFree());
		}
		return waiters;
	}

	/** An entry that nobody waits for. */
	#gather(entry: Entry): void {
		if (!this.#add(entry)) return;
		const { entries, payload_bytes } = this.#outgoing;
		if (entries >= gather_entries_max || payload_bytes >= gather_bytes_max) {
			this.#flush();
		} else {
			this.#gathering ??= this.#clock.after(gather_ms, () => this.#flushIfFree());
		}
	}

	#add(entry: Entry): boolean {
		const waiting = this.#in_flight_entries + this.#outgoing.entries;
		if (waiting >= entries_in_flight_max || this.#closed) {
			this.#unsent += 1;
			this.#lose({ entries_lost: 1 });
			return false;
		}
		// So that the thread is there by the time something waits for it.
		if (!this.#is_waiting) this.#link.worker();
		this.#expecting?.cancel();
		this.#expecting = undefined;
		const bytes = (entry.input?.length ?? 0) + (entry.output?.length ?? 0);
		const room = payload_bytes_in_flight_max - this.#in_flight_bytes - this.#outgoing.payload_bytes;
		if (bytes > room && this.#in_flight_bytes > 0) {
			this.#lose({ payloads_lost: 1 });
			if (!this.#outgoing.fits(entry, 0)) this.#flush();
			this.#outgoing.addWithoutPayload(entry);
		} else {
			if (!this.#outgoing.fits(entry, bytes)) this.#flush();
			if (!this.#outgoing.fits(entry, bytes)) {
				// As long as another one still writes to the log, there is as much as fits.
				this.#unsent += 1;
				this.#lose({ entries_lost: 1 });
				return false;
			}
			this.#outgoing.add(entry);
		}
		return true;
	}

	/** Sends what waits, now or once a batch is done. */
	#flushIfFree(): void {
		this.#is_flushing = false;
		if (this.#in_flight.length < batches_max) this.#flush();
		else this.#is_overdue = true;
	}

	#flush(): void {
		this.#is_overdue = false;
		this.#gathering?.cancel();
		this.#gathering = undefined;
		const outgoing = this.#outgoing;
		if (outgoing.entries === 0 || this.#is_waiting) return;
		this.#outgoing = new Outgoing(this.#slots);
		const waiters = this.#waiters;
		this.#waiters = [];
		const worker = this.#link.worker();
		if (worker === undefined) {
			this.#unsent += outgoing.entries;
			this.#lose({ entries_lost: outgoing.entries });
			outgoing.release();
			for (const one of waiters) this.#settle(one, false);
			return;
		}
		this.#batch += 1;
		const batch = this.#batch;
		const { entries, payload_bytes } = outgoing;
		this.#in_flight.push({ number: batch, entries, payload_bytes, waiters, outgoing });
		this.#in_flight_entries += entries;
		this.#in_flight_bytes += payload_bytes;
		this.#tellHurry();
		const [now_ms, lost] = [this.#clock.now(), this.#unsent];
		const message = outgoing.message({ batch, now_ms, lost, secrets: this.#secrets.since(worker) });
		this.#unsent = 0;
		worker.postMessage(message, []);
	}

	#newWaiters(): Waiters {
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const waiters: Waiters = {
			...{ count: 0, is_over: false, written: promise, resolve, reject },
			settled: promise.catch(() => undefined),
			timer: this.#clock.after(this.#options.wait_ms_max ?? 1_000, () => {
				waiters.is_over = true;
				this.#lose({ late: waiters.count });
				this.#settle(waiters, false);
			}),
		};
		return waiters;
	}

	#settle(waiters: Waiters, kept: boolean): void {
		waiters.timer.cancel();
		if (kept || !this.#options.required) waiters.resolve();
		else waiters.reject(new Error(`the audit cannot be written (${this.failing ?? "too slow"})`));
	}

	#done({ batch, kept, payloads_lost, error, append_ms }: TimedDoneMessage): void {
		this.#options.onAppended?.(append_ms);
		this.failing = error;
		if (payloads_lost > 0) this.#lose({ payloads_lost });
		while ((this.#in_flight[0]?.number ?? Number.POSITIVE_INFINITY) <= batch) {
			this.#leave(this.#in_flight.shift() as Batch, kept);
		}
		this.#tellHurry();
		if (this.#is_overdue) this.#flushIfFree();
		this.#tellFlushed();
	}

	#leave({ entries, payload_bytes, waiters, outgoing }: Batch, kept: boolean): void {
		outgoing.release();
		this.#in_flight_entries -= entries;
		this.#in_flight_bytes -= payload_bytes;
		if (kept) this.totals.entries += entries;
		else this.#lose({ entries_lost: entries });
		for (const one of waiters) this.#settle(one, kept);
	}

	#tellFlushed(): void {
		this.#link.reached(this.#in_flight[0]?.number ?? Number.POSITIVE_INFINITY);
	}

	/** The thread is gone, and with it what it had not answered. */
	#fallen(error: Error | undefined): void {
		this.failing = error?.name ?? "exit";
		for (const batch of this.#in_flight.splice(0)) {
			this.#unsent += batch.entries;
			this.#leave(batch, false);
		}
		this.#tellHurry();
		if (this.#is_overdue) this.#flushIfFree();
		this.#tellFlushed();
	}

	/** The thread does not pause as long as somebody waits for a batch, or it does not keep up. */
	#tellHurry(): void {
		const { length } = this.#in_flight;
		const is_awaited = this.#in_flight.some(({ waiters }) => waiters.length > 0);
		this.#hurry.set(is_awaited || length > batches_calm);
	}

	async #ask(question: Question): Promise<unknown> {
		if (this.#link.worker() !== undefined) this.#flush();
		try {
			return await this.#hurry.during(this.#link.ask(question));
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			throw new Error(`the audit log cannot be written (${why})`, { cause: error });
		}
	}

	#lose(lost: Partial<Omit<AuditTrouble, "error">>): void {
		const { entries_lost = 0, payloads_lost = 0, late = 0 } = lost;
		for (const sum of [this.#trouble, this.totals]) {
			sum.entries_lost += entries_lost;
			sum.payloads_lost += payloads_lost;
			sum.late += late;
		}
		if (this.#closed) return;
		this.#trouble_told ??= this.#clock.afterIdle(trouble_ms, () => this.#tellTrouble());
	}

	#tellTrouble(): void {
		this.#trouble_told = undefined;
		const { entries_lost, payloads_lost, late } = this.#trouble;
		if (entries_lost + payloads_lost + late === 0) return;
		this.#trouble = { entries_lost: 0, payloads_lost: 0, late: 0 };
		this.#options.onTrouble({ entries_lost, payloads_lost, late, error: this.failing });
	}
}
