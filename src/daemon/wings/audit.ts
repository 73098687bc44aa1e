import { statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Audit, AuditTrouble } from "../../audit/audit.ts";
import { system_disk } from "../../audit/disk.ts";
import { PayloadKeys } from "../../audit/payload-keys.ts";
import { type AuditPlaces, auditPlaces } from "../../audit/places.ts";
import { type AuditedCall, readCall } from "../../audit/read-call.ts";
import { head_name } from "../../audit/segments.ts";
import { signerOf } from "../../audit/signing-key.ts";
import type { Verification } from "../../audit/verify.ts";
import { verifyInThread } from "../../audit/verify-thread.ts";
import { type AuditPlan, default_audit } from "../../config/evidence-plan.ts";
import type { Plan } from "../../config/plan.ts";
import type { Timer } from "../../lib/clock.ts";
import { ClockWatch } from "../../lib/clock-watch.ts";
import { SecretBox } from "../../secrets/box.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import type { Histogram } from "../../telemetry/metrics/instruments.ts";
import { type AuditKeys, auditKeys, openAudit } from "../open-audit.ts";
import type { Wing, WingParts } from "../wings.ts";

const retain_ms = 3_600_000;
/** A log that was written to within so long before the start is written to again soon. */
const expected_ms = 3_600_000;
/** Calls that change something wait for two of these: it tells a slow disk from a busy gateway. */
const append_metric = {
	name: "moorage.audit.append.duration",
	help: "Time to seal, to write and to sync what came together for the audit.",
	unit: "s",
	labels: [],
} as const;
const append_bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

/** The audit: written before and after calls, and let go of when its time is over. */
export class AuditWing implements Wing {
	readonly evidence = [
		{
			expect: () => this.#audit?.expect(),
			before: (record: CallRecord) => this.#audit?.before(record),
			before_reads: () => this.#audit?.is_required === true,
			after: (record: CallRecord) => this.#audit?.after(record),
		},
	];
	readonly places: AuditPlaces;
	readonly #parts: WingParts;
	#plan: AuditPlan;
	#audit: Audit | undefined;
	#keys: AuditKeys | undefined;
	#timer: Timer | undefined;
	#appends: Histogram | undefined;
	readonly #clock_watch: ClockWatch;
	/** Whoever lets go of something of the log, or keeps others from it, has it alone. */
	#turn: Promise<unknown> = Promise.resolve();

	constructor(parts: WingParts) {
		this.#parts = parts;
		const plan = parts.plan();
		this.places = auditPlaces(plan.data);
		this.#plan = plan.audit ?? default_audit;
		this.#clock_watch = new ClockWatch(parts.options.clock);
	}

	/** What is written to; undefined where the audit is off. */
	get audit(): Audit | undefined {
		return this.#audit;
	}

	/** The key that verifies the log; undefined where there is none. */
	get public_key(): string | undefined {
		return this.#keys && signerOf(this.#keys.seed).verifier.public_key;
	}

	/** What the log has of a call. */
	async read(call: string, at_ms: number | undefined): Promise<AuditedCall | undefined> {
		if (this.#keys === undefined) return undefined;
		const { random } = this.#parts.options;
		const { folder } = this.places;
		const box = new SecretBox(this.#keys.box_key, random);
		const keys = new PayloadKeys(folder, { disk: system_disk, box, random });
		return readCall(folder, call, at_ms, { disk: system_disk, keys });
	}

	/** Destroys the keys to a person's payloads; returns how many there were. */
	erase(tenant: string, user: string): Promise<number> {
		return this.#alone(() => {
			if (this.#audit === undefined) throw new Error("there is no audit any more");
			return this.#audit.erase(tenant, user);
		});
	}

	/**
	 * Keeps everything that was written, and the keys to it, until the returned function is called:
	 * who copies the log meanwhile has no entry without the key that it needs.
	 */
	async hold(): Promise<() => void> {
		const { promise, resolve } = Promise.withResolvers<void>();
		const before = this.#turn;
		this.#turn = before.then(() => promise);
		await before;
		return resolve;
	}

	#alone<Outcome>(work: () => Outcome | Promise<Outcome>): Promise<Outcome> {
		const outcome = this.#turn.then(work);
		this.#turn = outcome.catch(() => undefined);
		return outcome;
	}

	/** Checks the log, in a thread of its own. Rejects where it cannot be read. */
	verify(): Promise<Verification> {
		const { public_key } = this;
		if (public_key === undefined) return Promise.reject(new Error("its keys cannot be used"));
		return verifyInThread(this.places.folder, public_key);
	}

	async start(): Promise<void> {
		const { random, log } = this.#parts.options;
		const keys = await auditKeys(this.places, random);
		if (keys.ok) this.#keys = keys.value;
		else log.error({ ...keys.problem }, "without its keys there is no audit");
		const { registry } = this.#parts.wings().telemetry.telemetry;
		this.#appends = registry.histogram(append_metric, append_bounds).get();
		this.#audit = this.#open();
		this.#retainLater();
	}

	/** Where calls were written down until a moment ago, those that make them call again at once. */
	opened(): void {
		const age_ms = this.#parts.options.clock.now() - writtenAt(this.places.folder);
		if (age_ms < expected_ms) this.#audit?.expect();
	}

	/** Other settings begin a new thread; the log goes on. */
	use(plan: Plan): void {
		const wanted = plan.audit ?? default_audit;
		if (isDeepStrictEqual(wanted, this.#plan)) return;
		this.#plan = wanted;
		const before = this.#audit;
		if (this.#keys === undefined && wanted.mode !== "required") return;
		// One writer at a time: the next begins when this one has ended.
		this.#audit = this.#open(before?.close());
	}

	lost(): Readonly<Record<string, number>> {
		const totals = this.#audit?.totals;
		return totals === undefined ? {} : { audit: totals.entries_lost + totals.payloads_lost };
	}

	async stop(): Promise<void> {
		this.#timer?.cancel();
		await this.#audit?.close();
	}

	#open(after?: Promise<void>): Audit | undefined {
		return openAudit({
			clock: this.#parts.options.clock,
			places: this.places,
			keys: this.#keys,
			plan: this.#plan,
			redactor: this.#parts.redactor,
			onTrouble: (trouble) => this.#tell(trouble),
			onAppended: (append_ms) => this.#appends?.observe(append_ms / 1_000),
			...(after === undefined ? {} : { after }),
		});
	}

	#tell(trouble: AuditTrouble): void {
		const { log } = this.#parts.options;
		log.error({ ...trouble }, "audit entries were lost or late");
		this.#parts.live.publish("evidence_lost", { kind: "audit", ...trouble });
	}

	#retainLater(): void {
		const { clock, log } = this.#parts.options;
		this.#timer = clock.afterIdle(retain_ms, () => {
			const jumped_ms = this.#clock_watch.jumped();
			// A clock that jumped may jump back: nothing is thrown away by its word.
			if (jumped_ms === 0) {
				this.#alone(() => this.#audit?.retain()).catch((error: unknown) => {
					log.warn({ err: error }, "old audit entries could not be removed");
				});
			} else {
				log.warn({ jumped_ms }, "the clock jumped; nothing of the audit is removed");
			}
			this.#retainLater();
		});
	}
}

/** When a log was written to last, in milliseconds; 0 where that cannot be told. */
function writtenAt(folder: string): number {
	try {
		return statSync(join(folder, head_name)).mtimeMs;
	} catch {
		return 0;
	}
}
