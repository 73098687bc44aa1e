import type { ServerPlan } from "../config/plan.ts";
import { nextWarmTime, parseWarmTime } from "../config/warm-times.ts";
import { assert } from "../lib/assert.ts";
import type { Timer } from "../lib/clock.ts";
import { localOffset } from "../lib/local-time.ts";
import { fail, type Result } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { InstanceUsage } from "../upstreams/driver.ts";
import { awaitsPerson, type Recovery } from "./backoff.ts";
import { onlyForPeople, serverOff, unavailable } from "./failure.ts";
import { Fleet } from "./fleet.ts";
import { baseKey, type InstanceKey } from "./instance-key.ts";
import { usageOf } from "./instance-status.ts";
import { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import { type AcquireOptions, Leasing, type Seeking } from "./leasing.ts";
import { type PresentServer, planSteps, type Step, type WantedServer } from "./planner.ts";
import { Preparation, type PreparationState } from "./preparation.ts";
import type { Locked, Resolved } from "./resolved.ts";
import { describeServer, isSettled } from "./server-status.ts";
import type { Slot } from "./slot.ts";
import type { ServerStatus } from "./status.ts";
import type { Surroundings } from "./surroundings.ts";
import { Watchers } from "./watchers.ts";

/** How long calls in flight may go on after their instance was replaced or removed. */
export const drain_ms_max = 30_000;
/** The clock is looked at this often at least: timers do not see that it was moved. */
const look_again_ms = 3_600_000;
/** A plan that needs more rounds than this never comes to rest: a defect. */
const rounds_max = 1000;

/**
 * One server with everything that runs of it. It does what the planner says and reports what
 * happens; it never blocks on another server.
 */
export class HostedServer {
	readonly name: string;
	readonly journal: Journal;
	readonly #around: Surroundings;
	readonly #preparation: Preparation;
	readonly #fleet: Fleet;
	readonly #leasing: Leasing;
	readonly #watchers: Watchers;
	#plan: ServerPlan | undefined;
	/** The plan before it was removed: what is left of the server still belongs to it. */
	#last_plan: ServerPlan;
	#generation = 0;
	#drain_ms = drain_ms_max;
	/** When it is to be warm next, in wall-clock milliseconds. */
	#warm_next_ms: number | undefined;
	#timer: Timer | undefined;
	#reconciling = false;
	#again = false;

	/**
	 * A further version of a server writes into the journal of the one before, and may run another
	 * package than the lock says.
	 */
	constructor(
		plan: ServerPlan,
		around: Surroundings,
		further?: { readonly journal: Journal; readonly locked: Locked | undefined },
	) {
		this.name = plan.name;
		this.#last_plan = plan;
		this.#around = around;
		this.journal = further?.journal ?? new Journal(plan.name, around);
		this.#watchers = new Watchers(around.clock);
		const owner = {
			onPreparation: (state: PreparationState) => this.#onPreparation(state),
			onProgress: (line: string) => this.journal.note(line),
		};
		this.#preparation = new Preparation(around, owner, further?.locked);
		this.#fleet = this.#makeFleet();
		this.#leasing = this.#makeLeasing();
	}

	/** The plan it should run by; undefined once it is removed. */
	get plan(): ServerPlan | undefined {
		return this.#plan;
	}

	/** What it was resolved to; undefined until then. */
	get resolved(): Resolved | undefined {
		return this.#preparation.resolved;
	}

	/** What it runs is what the lock says from now on. */
	followLock(): void {
		this.#preparation.followLock();
	}

	/** True when nothing runs or waits any more. */
	get is_empty(): boolean {
		return this.#fleet.is_empty;
	}

	/** Takes over a plan, if it runs in another way than the one before. */
	adopt(plan: ServerPlan): void {
		if (this.#plan?.fingerprint === plan.fingerprint) return;
		this.journal.note(this.#plan === undefined ? "configured" : "configuration changed");
		this.#plan = plan;
		this.#last_plan = plan;
		this.#drain_ms = drain_ms_max;
		this.#setWarm();
		this.#renew();
	}

	/** Ends everything of it; callers that wait are answered with the given fault. */
	remove(options: { why: string; drain_ms: number; fault(): Fault }): void {
		if (this.#plan !== undefined) this.journal.note(options.why);
		this.#plan = undefined;
		this.#setWarm();
		this.#drain_ms = options.drain_ms;
		this.#refuseAll(options.fault);
		this.#fleet.hasten(options.drain_ms);
		this.#preparation.reset();
		this.#reconcile();
	}

	/** Starts anew whatever runs or has failed; resolves when that is ready or has failed. */
	async restart(): Promise<void> {
		if (this.#plan === undefined) return;
		this.journal.note("restart asked for");
		this.#preparation.verifyNext();
		this.#noteOff();
		for (const slot of this.#fleet.slots) slot.asked_at_ms = this.#now();
		this.#renew();
		await this.settled({ wait_ms: this.#plan.timeouts.start_ms + drain_ms_max });
	}

	/** Wakes what sleeps; where nothing runs, what was asked for last is started. */
	wake(): void {
		if (this.#plan === undefined) return;
		this.journal.note("waking asked for");
		if (this.#noteOff()) return;
		this.#warm(this.#plan);
		this.#reconcile();
	}

	/** Puts to sleep what nobody uses now; false where there is nothing such. */
	freeze(): boolean {
		return this.#fleet.freezeIdle();
	}

	/**
	 * Exchanges what was started with values that have changed since, and tries again what could
	 * not have them: each instance takes no new calls, ends those it has, and another starts.
	 */
	async refreshValues(): Promise<void> {
		const { slots } = this.#fleet;
		await Promise.all(slots.flatMap(({ instance }) => instance?.compareValues() ?? []));
		const outdated = slots.filter((slot) => slot.outdated);
		const missing = slots.some(({ recovery }) => recovery.failure?.code === "secret_unavailable");
		if (outdated.length === 0 && !missing) return;
		this.journal.note("values that it refers to have changed");
		for (const slot of outdated) slot.asked_at_ms = this.#now();
		if (missing) this.#fleet.forgive();
		this.#reconcile();
	}

	/** Tries again what could not start because a person had to agree first. */
	agreed(): void {
		if (this.#fleet.forgiveThose(awaitsPerson)) this.#reconcile();
	}

	/** Nobody will ask for this key again: its instance drains and ends. */
	dismiss(key: InstanceKey): void {
		const slot = this.#fleet.find(key);
		if (slot === undefined) return;
		slot.wanted = false;
		this.#reconcile();
	}

	/** A lease at once, or undefined when there is no ready instance with room. */
	tryAcquire(key: InstanceKey, seeking: Seeking): Lease | undefined {
		return this.#leasing.tryAcquire(key, seeking);
	}

	/** Whether the instance this caller would use is not awake, and nothing is wrong with it. */
	sleeps(key: InstanceKey, seeking: Seeking): boolean {
		return this.#leasing.sleeps(key, seeking);
	}

	/** Whether this very instance is frozen. */
	isFrozen(key: InstanceKey): boolean {
		return this.#fleet.find(key)?.state === "frozen";
	}

	/** A lease as soon as there is one; starts the instance where that is needed. */
	acquire(key: InstanceKey, options: AcquireOptions): Promise<Result<Lease, Fault>> {
		const plan = this.#plan;
		if (key.scope_key === "" && plan !== undefined && this.#isPersonal(plan)) {
			return Promise.resolve(fail(onlyForPeople(this.#around.random, this.name)));
		}
		return this.#leasing.acquire(key, options);
	}

	/** What decides about its plan outside of hosting may have changed. */
	reconsider(): void {
		const off = this.#off;
		if (off !== undefined) this.#refuseAll(() => serverOff(this.#around.random, this.name, off));
		this.#reconcile();
	}

	/** Resolves when the server is ready or has failed, or nothing is about to happen. */
	settled(options: { signal?: AbortSignal; wait_ms: number }): Promise<void> {
		return this.#watchers.until(() => this.#isSettled(), options);
	}

	/** Freezes what is awake; the returned function lets it go on. See `Hosting.still`. */
	still(): Promise<() => Promise<void>> {
		return this.#fleet.still();
	}

	/** Resolves when nothing is left of a removed server. */
	emptied(): Promise<void> {
		return this.#watchers.until(() => this.is_empty, {});
	}

	status(): ServerStatus {
		const plan = this.#plan ?? this.#last_plan;
		return describeServer({
			plan,
			preparation: this.#preparation,
			awaits_person: this.#awaitsPerson(plan),
			slots: this.#fleet.slots,
			retired: this.#fleet.retired,
			closing: this.#fleet.closing,
			restarts: this.#fleet.restarts,
			last_failure: this.#fleet.last_failure,
			wakes: this.#fleet.wakes,
			clock: this.#around.clock,
			egress: this.#around.egress?.report(plan.name),
		});
	}

	/** What each of its instances uses now, by their numbers. */
	usage(): Promise<ReadonlyMap<number, InstanceUsage>> {
		const { slots, retired } = this.#fleet;
		return usageOf([...slots.flatMap(({ instance }) => instance ?? []), ...retired]);
	}

	#makeFleet(): Fleet {
		return new Fleet(this.#around, this.journal, {
			orders: () => {
				const { resolved } = this.#preparation;
				assert(this.#plan !== undefined && resolved !== undefined, "only a prepared server starts");
				return { plan: this.#plan, generation: this.#generation, resolved };
			},
			callsMax: () => this.#callsMax(),
			queueTime: () => this.#last_plan.instances.queue_wait_ms,
			drainTime: () => this.#drain_ms,
			isStanding: () => this.#isStanding(),
			onChange: () => this.#reconcile(),
			onState: () => this.#changed(),
			unavailable: (recovery) => this.#unavailable(recovery),
			onProgramMissing: () => this.#preparation.reset(),
		});
	}

	#makeLeasing(): Leasing {
		return new Leasing(this.#around, this.#fleet, {
			name: this.name,
			plan: () => this.#plan,
			callsMax: () => this.#callsMax(),
			refusal: (slot, wait_ms) => this.#refusal(slot, wait_ms),
			onWaiting: () => this.#reconcile(),
		});
	}

	#callsMax(): number {
		const own = this.#last_plan.instances.concurrency_max;
		return own ?? this.#around.limits().calls_per_server_max;
	}

	/** A fault for a caller that would wait in vain. */
	#refusal(slot: Slot | undefined, wait_ms: number): Fault | undefined {
		const { recovery } = this.#preparation;
		if (recovery.failed) return this.#unavailable(recovery);
		if (slot === undefined || slot.usable) return undefined;
		if (slot.recovery.failed) return this.#unavailable(slot.recovery);
		const in_time = (slot.recovery.retry_at_ms ?? 0) <= this.#now() + wait_ms;
		return slot.state !== "stopped" || in_time ? undefined : this.#unavailable(slot.recovery);
	}

	#unavailable(recovery: Recovery): Fault {
		assert(recovery.failure !== undefined, "what is not available has a reason");
		const { retry_at_ms } = recovery;
		const retry_in_ms = retry_at_ms === undefined ? undefined : retry_at_ms - this.#now();
		return unavailable(this.#around.random, this.name, recovery.failure, retry_in_ms);
	}

	/** A new generation: everything is prepared and started anew, and old failures forgotten. */
	#renew(): void {
		this.#generation += 1;
		this.#fleet.forgive();
		this.#reconcile();
	}

	/** Does what the planner says until it says nothing more. */
	#reconcile(): void {
		// Handlers of events may call in again while steps are being done.
		this.#again = true;
		if (this.#reconciling) return;
		this.#reconciling = true;
		let wake_at_ms: number | undefined;
		for (let round = 0; this.#again; round++) {
			assert(round < rounds_max, `the plan for "${this.name}" never comes to rest`);
			this.#again = false;
			const plan = planSteps(this.#wanted(), [this.#view()], this.#now());
			wake_at_ms = plan.wake_at_ms;
			for (const step of plan.steps) {
				this.#perform(step);
				// Someone called in: the rest of the steps may no longer be right.
				if (this.#again) break;
			}
			if (plan.steps.length > 0) this.#again = true;
		}
		this.#reconciling = false;
		this.#timer?.cancel();
		this.#timer = wake_at_ms === undefined ? undefined : this.#wakeAt(wake_at_ms);
		this.#watchers.check();
	}

	#wakeAt(at_ms: number): Timer {
		const delay_ms = Math.min(look_again_ms, Math.max(0, at_ms - this.#now()));
		return this.#around.clock.afterIdle(delay_ms, () => this.#reconcile());
	}

	#wanted(): WantedServer[] {
		if (this.#plan === undefined) return [];
		const { idle, health } = this.#plan;
		const { name } = this;
		const standing = this.#isStanding();
		const warm_at_ms = this.#warmAt();
		const off = this.#off !== undefined;
		return [{ name, warm_at_ms, generation: this.#generation, standing, off, idle, health }];
	}

	/** On the monotonic scale: the machine's clock may be moved, and the machine may have slept. */
	#warmAt(): number | undefined {
		if (this.#warm_next_ms === undefined) return undefined;
		return this.#now() + Math.max(0, this.#warm_next_ms - this.#around.clock.now());
	}

	#setWarm(): void {
		const { clock, offsetAt = localOffset } = this.#around;
		const times = (this.#plan?.idle.warm_at ?? []).flatMap((text) => parseWarmTime(text) ?? []);
		this.#warm_next_ms = nextWarmTime(times, clock.now(), offsetAt);
	}

	/**
	 * Whether its base instance runs although nobody asks for it: one that is started with the
	 * gateway, unless it may sleep and what it offers is known.
	 */
	#isStanding(): boolean {
		const plan = this.#plan;
		if (plan === undefined || plan.start !== "eager" || this.#isPersonal(plan)) return false;
		return plan.idle.keep !== "on-demand" || this.#around.isKnown?.(plan) !== true;
	}

	/** See `HostingOptions.switchedOff`. */
	get #off(): string | undefined {
		return this.#around.switchedOff?.(this.name);
	}

	/** Whether it is switched off; then whoever asked for something reads why nothing starts. */
	#noteOff(): boolean {
		const off = this.#off;
		if (off !== undefined) this.journal.note(`nothing is started: ${off}`);
		return off !== undefined;
	}

	/** See `HostingOptions.isPersonal`. */
	#isPersonal(plan: ServerPlan): boolean {
		return this.#around.isPersonal?.(plan) === true;
	}

	/** Whether nobody can know what it offers before a person has connected an account to it. */
	#awaitsPerson(plan: ServerPlan): boolean {
		return this.#isPersonal(plan) && this.#around.isKnown?.(plan) !== true;
	}

	/** Wakes what sleeps; where nothing runs, what was asked for last, unless that was somebody's. */
	#warm(plan: ServerPlan): void {
		this.#fleet.warm(this.#isPersonal(plan) ? undefined : baseKey(this.name));
	}

	#view(): PresentServer {
		return {
			name: this.name,
			preparation: {
				state: this.#preparation.state,
				generation: this.#preparation.generation,
				retry_at_ms: this.#preparation.recovery.retry_at_ms,
			},
			...this.#fleet.view(),
		};
	}

	#perform(step: Step): void {
		if (step.kind === "warm") {
			this.#setWarm();
			this.journal.note("it is time to be warm");
			assert(this.#plan !== undefined, "only a wanted server is warmed");
			return this.#warm(this.#plan);
		}
		if (step.kind !== "resolve") return this.#fleet.perform(step);
		assert(this.#plan !== undefined, "only a wanted server is prepared");
		this.#preparation.begin(this.#plan, this.#generation);
	}

	#refuseAll(fault: () => Fault): void {
		for (const slot of this.#fleet.slots) slot.line.serve(() => fail(fault()));
	}

	#onPreparation(state: PreparationState): void {
		const { failure } = this.#preparation.recovery;
		if (state === "failed" && failure !== undefined) {
			this.journal.noteFailure(this.#preparation.recovery, failure, 0);
			this.#refuseAll(() => this.#unavailable(this.#preparation.recovery));
		} else {
			this.journal.note(state === "stopped" ? "prepared" : state);
		}
		this.#changed();
		this.#reconcile();
	}

	#isSettled(): boolean {
		if (this.#plan === undefined || this.#off !== undefined) return true;
		return isSettled(this.#isStanding(), this.#preparation, this.#fleet.slots);
	}

	#changed(): void {
		this.#around.events.onState(this.status());
	}

	#now(): number {
		return this.#around.clock.monotonic();
	}
}
