import { isDeepStrictEqual } from "node:util";
import { Audit, type AuditTrouble } from "../../audit/audit.ts";
import { type AuditPlaces, auditPlaces } from "../../audit/places.ts";
import { retentionOf } from "../../audit/retention.ts";
import { seed_bytes } from "../../audit/signing-key.ts";
import { type AuditPlan, default_audit } from "../../config/evidence-plan.ts";
import type { Plan } from "../../config/plan.ts";
import type { Timer } from "../../lib/clock.ts";
import { box_key_bytes } from "../../secrets/box.ts";
import { ensureKeyFile } from "../../secrets/key-file.ts";
import type { CallRecord } from "../../telemetry/call-record.ts";
import type { Wing, WingParts } from "../wings.ts";

const retain_ms = 3_600_000;
/** How far the wall clock may stray from the steady one in that time. */
const clock_drift_ms_max = 5 * 60_000;
const segment_bytes_max = 64 * 1024 * 1024;

/** The audit: written before and after calls, and let go of when its time is over. */
export class AuditWing implements Wing {
	readonly evidence = [
		{
			before: (record: CallRecord) => this.#audit?.before(record),
			after: (record: CallRecord) => this.#audit?.after(record),
		},
	];
	readonly places: AuditPlaces;
	readonly #parts: WingParts;
	#plan: AuditPlan;
	#audit: Audit | undefined;
	#keys: { readonly seed: Buffer; readonly box_key: Buffer } | undefined;
	#timer: Timer | undefined;
	/** When things were let go of last, by both clocks. */
	#retained: { readonly wall_ms: number; readonly steady_ms: number };

	constructor(parts: WingParts) {
		const { clock } = parts.options;
		this.#parts = parts;
		const plan = parts.plan();
		this.places = auditPlaces(plan.data);
		this.#plan = plan.audit ?? default_audit;
		this.#retained = { wall_ms: clock.now(), steady_ms: clock.monotonic() };
	}

	/** What is written to; undefined where the audit is off. */
	get audit(): Audit | undefined {
		return this.#audit;
	}

	async start(): Promise<void> {
		const { random, log } = this.#parts.options;
		const seed = await ensureKeyFile(this.places.signing_key, seed_bytes, random);
		const box_key = await ensureKeyFile(this.places.payload_key, box_key_bytes, random);
		for (const key of [seed, box_key]) {
			if (!key.ok) log.error({ ...key.problem }, "without its keys there is no audit");
		}
		if (seed.ok && box_key.ok) this.#keys = { seed: seed.value, box_key: box_key.value };
		this.#audit = this.#open();
		this.#retainLater();
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

	async stop(): Promise<void> {
		this.#timer?.cancel();
		await this.#audit?.close();
	}

	#open(after?: Promise<void>): Audit | undefined {
		const { mode, payload_bytes_max } = this.#plan;
		if (mode === "off") return undefined;
		const { clock } = this.#parts.options;
		// Without keys everything is lost, and counted; a required audit then refuses calls.
		const { seed, box_key } = this.#keys ?? { seed: Buffer.alloc(0), box_key: Buffer.alloc(0) };
		return new Audit({
			clock,
			data: {
				folder: this.places.folder,
				seed,
				box_key,
				segment_bytes_max,
				retention: retentionOf(this.#plan),
			},
			required: mode === "required",
			payload_bytes_max,
			redactor: this.#parts.redactor,
			onTrouble: (trouble) => this.#tell(trouble),
			...(after === undefined ? {} : { after }),
		});
	}

	#tell(trouble: AuditTrouble): void {
		const { log } = this.#parts.options;
		log.error({ ...trouble }, "audit entries were lost or late");
	}

	#retainLater(): void {
		const { clock, log } = this.#parts.options;
		this.#timer = clock.afterIdle(retain_ms, () => {
			const before = this.#retained;
			this.#retained = { wall_ms: clock.now(), steady_ms: clock.monotonic() };
			const strayed =
				this.#retained.wall_ms - before.wall_ms - (this.#retained.steady_ms - before.steady_ms);
			// A clock that jumped may jump back: nothing is thrown away by its word.
			if (Math.abs(strayed) <= clock_drift_ms_max) {
				this.#audit?.retain().catch((error: unknown) => {
					log.warn({ err: error }, "old audit entries could not be removed");
				});
			} else {
				log.warn({ strayed_ms: strayed }, "the clock jumped; nothing of the audit is removed");
			}
			this.#retainLater();
		});
	}
}
