import type { ServerPlan } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import type { Timer } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import { afterFailure, clean_recovery, type Recovery, stable_ms } from "./backoff.ts";
import {
	cancelledWaiting,
	type Failure,
	queueFull,
	stillStarting,
	tooManyInstances,
	unavailable,
} from "./failure.ts";
import { Instance, type InstanceEnd } from "./instance.ts";
import { type InstanceKey, isBaseKey, keyText } from "./instance-key.ts";
import { Journal } from "./journal.ts";
import type { Lease } from "./lease.ts";
import { type PresentServer, planSteps, type Step, type WantedServer } from "./planner.ts";
import { Preparation, type PreparationState } from "./preparation.ts";
import type { PackageIdentity } from "./resolved.ts";
import { describeServer, isSettled } from "./server-status.ts";
import { Slot } from "./slot.ts";
import type { ServerStatus } from "./status.ts";
import type { Surroundings } from "./surroundings.ts";
import { Watchers } from "./watchers.ts";

/** How long calls in flight may go on after their instance was replaced or removed. */
export const drain_ms_max = 30_000;
/** Most instances of one server, each with its own key. */
export const instances_per_server_max = 64;
/** A plan that needs more rounds than this never comes to rest: a defect. */
const rounds_max = 1000;

interface Retired {
	readonly instance: Instance;
	close_at_ms: number;
}

/** How a caller waits for an instance. */
export interface AcquireOptions {
	readonly signal: AbortSignal;
	readonly wait_ms: number;
	/** Who calls, as a text: while versions share the calls, each caller stays with one. */
	readonly caller?: string | undefined;
}

/**
 * One server with everything that runs of it. It does what the planner says and reports what
 * happens; it never blocks on another server.
 */
export class HostedServer {
	readonly name: string;
	readonly journal: Journal;
	readonly #around: Surroundings;
	readonly #preparation: Preparation;
	readonly #slots = new Map<string, Slot>();
	readonly #retired = new Map<number, Retired>();
	readonly #closing = new Set<Promise<void>>();
	readonly #watchers: Watchers;
	#plan: ServerPlan | undefined;
	/** The plan before it was removed: what is left of the server still belongs to it. */
	#last_plan: ServerPlan;
	#generation = 0;
	#drain_ms = drain_ms_max;
	#restarts = 0;
	#timer: Timer | undefined;
	#reconciling = false;
	#again = false;

	/** A further version of a server writes into the journal of the one before. */
	constructor(plan: ServerPlan, around: Surroundings, journal?: Journal) {
		this.name = plan.name;
		this.#last_plan = plan;
		this.#around = around;
		this.journal = journal ?? new Journal(plan.name, around);
		this.#watchers = new Watchers(around.clock);
		this.#preparation = new Preparation(around, {
			onPreparation: (state) => this.#onPreparation(state),
			onProgress: (line) => this.journal.note(line),
		});
	}

	/** The plan it should run by; undefined once it is removed. */
	get plan(): ServerPlan | undefined {
		return this.#plan;
	}

	/** What its package was resolved to; undefined until then, and where that is not known. */
	get identity(): PackageIdentity | undefined {
		return this.#preparation.resolved?.identity;
	}

	/** True when nothing runs or waits any more. */
	get is_empty(): boolean {
		return this.#slots.size === 0 && this.#retired.size === 0 && this.#closing.size === 0;
	}

	/** Takes over a plan, if it runs in another way than the one before. */
	adopt(plan: ServerPlan): void {
		if (this.#plan?.fingerprint === plan.fingerprint) return;
		this.journal.note(this.#plan === undefined ? "configured" : "configuration changed");
		this.#plan = plan;
		this.#last_plan = plan;
		this.#drain_ms = drain_ms_max;
		this.#renew();
	}

	/** Ends everything of it; callers that wait are answered with the given fault. */
	remove(options: { why: string; drain_ms: number; fault(): Fault }): void {
		if (this.#plan !== undefined) this.journal.note(options.why);
		this.#plan = undefined;
		this.#drain_ms = options.drain_ms;
		for (const slot of this.#slots.values()) slot.line.serve(() => fail(options.fault()));
		const latest_ms = this.#now() + options.drain_ms;
		for (const retired of this.#retired.values()) {
			retired.close_at_ms = Math.min(retired.close_at_ms, latest_ms);
		}
		this.#preparation.reset();
		this.#reconcile();
	}

	/** Starts anew whatever runs or has failed; resolves when that is ready or has failed. */
	async restart(): Promise<void> {
		if (this.#plan === undefined) return;
		this.journal.note("restart asked for");
		this.#renew();
		await this.settled({ wait_ms: this.#plan.timeouts.start_ms + drain_ms_max });
	}

	/** Nobody will ask for this key again: its instance drains and ends. */
	dismiss(key: InstanceKey): void {
		const slot = this.#slots.get(keyText(key));
		if (slot === undefined) return;
		slot.wanted = false;
		this.#reconcile();
	}

	/** A lease at once, or undefined when there is no ready instance with room. */
	tryAcquire(key: InstanceKey): Lease | undefined {
		if (this.#plan === undefined) return undefined;
		const slot = this.#slots.get(keyText(key));
		if (slot === undefined) return undefined;
		if (slot.state === "frozen") this.#wake(slot);
		return slot.lease(this.#around.limits().calls_per_server_max);
	}

	/** What decides about its plan outside of hosting may have changed. */
	reconsider(): void {
		this.#reconcile();
	}

	/** A lease as soon as there is one; starts the instance where that is needed. */
	async acquire(key: InstanceKey, options: AcquireOptions): Promise<Result<Lease, Fault>> {
		const { random, limits } = this.#around;
		const calls_max = limits().calls_per_server_max;
		if (options.signal.aborted) return fail(cancelledWaiting(random, this.name));
		const refusal = this.#refusal(this.#slots.get(keyText(key)), options.wait_ms);
		if (refusal !== undefined) return fail(refusal);
		const slot = this.#slotFor(key);
		if (slot === undefined) {
			return fail(tooManyInstances(random, this.name, instances_per_server_max));
		}
		slot.wanted = true;
		slot.asked_at_ms = this.#now();
		if (slot.state === "frozen") this.#wake(slot);
		const lease = slot.lease(calls_max);
		if (lease !== undefined) return succeed(lease);
		if (slot.state === "ready" || slot.line.length >= calls_max) {
			return fail(queueFull(random, this.name, calls_max));
		}
		const outcome = slot.line.wait({
			...options,
			onTimeout: () => stillStarting(random, this.name, options.wait_ms),
			onAbort: () => cancelledWaiting(random, this.name),
		});
		this.#reconcile();
		return outcome;
	}

	/** Resolves when the server is ready or has failed, or nothing is about to happen. */
	settled(options: { signal?: AbortSignal; wait_ms: number }): Promise<void> {
		return this.#watchers.until(() => this.#isSettled(), options);
	}

	/** Freezes what is awake; the returned function lets it go on. See `Hosting.still`. */
	async still(): Promise<() => Promise<void>> {
		const awake = [...this.#slots.values()].filter(({ state }) => state === "ready");
		const held = awake.flatMap((slot) => {
			const hibernation = slot.instance?.upstream?.hibernation;
			return hibernation === undefined ? [] : [{ slot, hibernation }];
		});
		await Promise.all(held.map(({ hibernation }) => hibernation.freeze()));
		return async () => {
			// What went to sleep by itself meanwhile stays asleep.
			const still = held.filter(({ slot }) => slot.state === "ready");
			await Promise.all(still.map(({ hibernation }) => hibernation.thaw()));
		};
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
			slots: [...this.#slots.values()],
			retired: [...this.#retired.values()].map(({ instance }) => instance),
			closing: this.#closing.size > 0,
			restarts: this.#restarts,
			clock: this.#around.clock,
			egress: this.#around.egress?.report(plan.name),
		});
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

	/** The slot of a key; an unused one makes room when there are too many. */
	#slotFor(key: InstanceKey): Slot | undefined {
		const text = keyText(key);
		const known = this.#slots.get(text);
		if (known !== undefined) return known;
		if (this.#slots.size >= instances_per_server_max && !this.#evict()) return undefined;
		const slot = new Slot(key, this.#around.clock);
		this.#slots.set(text, slot);
		return slot;
	}

	#evict(): boolean {
		let oldest: Slot | undefined;
		for (const slot of this.#slots.values()) {
			if (isBaseKey(slot.key) || slot.in_use > 0 || slot.line.length > 0) continue;
			if (oldest === undefined || slot.asked_at_ms < oldest.asked_at_ms) oldest = slot;
		}
		if (oldest === undefined) return false;
		oldest.wanted = false;
		this.#reconcile();
		return true;
	}

	/** A new generation: everything is prepared and started anew, and old failures forgotten. */
	#renew(): void {
		this.#generation += 1;
		for (const slot of this.#slots.values()) {
			slot.recovery = clean_recovery;
			if (slot.state === "failed") slot.enter("stopped");
		}
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
		const delay_ms = Math.max(0, at_ms - this.#now());
		return this.#around.clock.afterIdle(delay_ms, () => this.#reconcile());
	}

	#wanted(): WantedServer[] {
		if (this.#plan === undefined) return [];
		const { idle } = this.#plan;
		return [{ name: this.name, generation: this.#generation, standing: this.#isStanding(), idle }];
	}

	/**
	 * Whether its base instance runs although nobody asks for it: one that is started with the
	 * gateway, unless it may sleep and what it offers is known.
	 */
	#isStanding(): boolean {
		const plan = this.#plan;
		if (plan === undefined || plan.start !== "eager") return false;
		return plan.idle.keep !== "on-demand" || this.#around.isKnown?.(plan) !== true;
	}

	#view(): PresentServer {
		return {
			name: this.name,
			preparation: {
				state: this.#preparation.state,
				generation: this.#preparation.generation,
				retry_at_ms: this.#preparation.recovery.retry_at_ms,
			},
			slots: [...this.#slots.values()].map((slot) => slot.view()),
			retired: [...this.#retired].map(([id, { instance, close_at_ms }]) => ({
				id,
				leases: instance.leases?.count ?? 0,
				close_at_ms,
			})),
		};
	}

	#perform(step: Step): void {
		switch (step.kind) {
			case "resolve":
				assert(this.#plan !== undefined, "only a wanted server is prepared");
				return this.#preparation.begin(this.#plan, this.#generation);
			case "start":
				return this.#start(step.key);
			case "abort": {
				const slot = this.#known(step.key);
				slot.enter("draining");
				slot.instance?.abort();
				return this.#changed();
			}
			case "retire":
				return this.#retire(this.#known(step.key));
			case "freeze":
				return this.#freeze(this.#known(step.key));
			case "reclaim":
				this.#known(step.key).instance?.sleep?.reclaim();
				return this.#changed();
			case "stop":
				return this.#stop(this.#known(step.key));
			case "close": {
				const retired = this.#retired.get(step.instance);
				assert(retired !== undefined, "only a retired instance is closed");
				this.#retired.delete(step.instance);
				return this.#close(retired.instance, retired.close_at_ms - this.#now());
			}
			case "drop":
				assert(this.#known(step.key).line.length === 0, "nobody may be left waiting");
				this.#slots.delete(keyText(step.key));
				return;
		}
	}

	#known(key: InstanceKey): Slot {
		const slot = this.#slots.get(keyText(key));
		assert(slot !== undefined, "a step names a key that is there");
		return slot;
	}

	#start(key: InstanceKey): void {
		const slot = this.#slots.get(keyText(key)) ?? new Slot(key, this.#around.clock);
		this.#slots.set(keyText(key), slot);
		const { resolved } = this.#preparation;
		assert(this.#plan !== undefined && resolved !== undefined, "only a prepared server starts");
		const retry = slot.recovery.failures > 0;
		if (retry) this.#restarts += 1;
		const id = this.journal.nextInstance();
		slot.enter("starting");
		slot.instance = new Instance({
			id,
			key,
			generation: this.#generation,
			plan: this.#plan,
			resolved,
			retry,
			around: this.#around,
			owner: {
				onReady: (instance) => this.#onReady(slot, instance),
				onEnd: (instance, end) => this.#onEnd(slot, instance, end),
				onUnused: (instance) => this.#onUnused(instance),
				onFreezeFailed: (instance) => this.#onFreezeFailed(slot, instance),
				onLine: ({ id }, stream, line) => this.journal.lines.push(stream, id, line),
				onPush: (_instance, message) => this.#around.events.onPush(key, message),
				onRequest: (_instance, ask) => this.#around.events.onRequest(key, ask),
			},
		});
		this.journal.note("starting", id);
		slot.instance.start();
		this.#changed();
	}

	#freeze(slot: Slot): void {
		assert(slot.instance !== undefined, "only what runs is frozen");
		slot.enter("frozen");
		this.journal.note("frozen", slot.instance.id);
		slot.instance.sleep?.freeze();
		this.#changed();
	}

	/** The thaw is on its way when this returns; what is sent from now on is read after it. */
	#wake(slot: Slot): void {
		const { instance } = slot;
		assert(instance?.sleep !== undefined, "only what runs is woken");
		instance.sleep.thaw();
		instance.touch();
		slot.enter("ready");
		this.journal.note("woken", instance.id);
		this.#changed();
		this.#reconcile();
	}

	#onFreezeFailed(slot: Slot, instance: Instance): void {
		if (slot.instance !== instance || slot.state !== "frozen") return;
		this.journal.note("it could not be frozen and runs on", instance.id);
		slot.enter("ready");
		this.#changed();
		this.#reconcile();
	}

	/** Ends an instance nobody uses. Its key starts again only when nothing of it is left. */
	#stop(slot: Slot): void {
		const { instance } = slot;
		const upstream = instance?.upstream;
		assert(instance !== undefined && upstream !== undefined, "only what runs is stopped");
		slot.wanted = false;
		slot.enter("draining");
		this.journal.note("not used, stopping", instance.id);
		this.#around.events.onRetired?.(slot.key, upstream);
		this.#changed();
		this.#close(instance, 0, () => {
			slot.instance = undefined;
			slot.enter("stopped");
		});
	}

	#retire(slot: Slot): void {
		const { instance } = slot;
		const upstream = instance?.upstream;
		assert(instance !== undefined && upstream !== undefined, "only what is ready is retired");
		if (slot.in_use > 0) slot.asked_at_ms = this.#now();
		slot.instance = undefined;
		slot.enter("stopped");
		this.#retired.set(instance.id, { instance, close_at_ms: this.#now() + this.#drain_ms });
		this.journal.note("draining", instance.id);
		this.#around.events.onRetired?.(slot.key, upstream);
		this.#changed();
	}

	#close(instance: Instance, drain_ms: number, onClosed?: () => void): void {
		const closing = instance.close(Math.max(0, drain_ms)).then(() => {
			this.#closing.delete(closing);
			onClosed?.();
			this.journal.note("stopped", instance.id);
			this.#changed();
			this.#reconcile();
		});
		this.#closing.add(closing);
	}

	#onReady(slot: Slot, instance: Instance): void {
		const { upstream, leases } = instance;
		assert(upstream !== undefined && leases !== undefined, "what is ready has an upstream");
		slot.enter("ready");
		this.journal.noteReady(upstream.hello.revision, instance.id);
		slot.line.serve(() => succeed(leases.take()));
		this.#around.events.onReady(slot.key, upstream);
		this.#changed();
		this.#reconcile();
	}

	#onEnd(slot: Slot, instance: Instance, end: InstanceEnd): void {
		const { upstream } = instance;
		if (slot.instance === instance) {
			if (end.kind === "aborted") this.#onAborted(slot, instance);
			else this.#onFailure(slot, instance, end.failure);
		}
		this.#retired.delete(instance.id);
		// Whatever the server has started may still be there, even when it is gone itself.
		if (upstream !== undefined) {
			this.#close(instance, 0);
			this.#around.events.onRetired?.(slot.key, upstream);
		}
		this.#reconcile();
	}

	#onAborted(slot: Slot, instance: Instance): void {
		slot.instance = undefined;
		slot.enter("stopped");
		this.journal.note("start given up", instance.id);
		this.#changed();
	}

	#onFailure(slot: Slot, instance: Instance, failure: Failure): void {
		const now_ms = this.#now();
		if (slot.in_use > 0) slot.asked_at_ms = now_ms;
		const ready_at_ms = instance.ready_at_ms;
		const stable = ready_at_ms !== undefined && now_ms - ready_at_ms >= stable_ms;
		const event = { failure, stable, now_ms };
		const recovery = afterFailure(slot.recovery, event, this.#around.random);
		slot.recovery = recovery;
		slot.instance = undefined;
		slot.enter(recovery.failed ? "failed" : "stopped");
		this.journal.noteFailure(recovery, failure, instance.id);
		const refused_until_ms = recovery.failed
			? Number.POSITIVE_INFINITY
			: (recovery.retry_at_ms ?? 0);
		slot.line.refuseBefore(refused_until_ms, () => this.#unavailable(recovery));
		// The program may be there next time, in another place: look for it again by then.
		if (failure.code === "command_missing") this.#preparation.reset();
		this.#changed();
	}

	#onUnused(instance: Instance): void {
		if (this.#retired.has(instance.id)) this.#reconcile();
	}

	#onPreparation(state: PreparationState): void {
		const { failure } = this.#preparation.recovery;
		if (state === "failed" && failure !== undefined) {
			this.journal.noteFailure(this.#preparation.recovery, failure, 0);
			for (const slot of this.#slots.values()) {
				slot.line.serve(() => fail(this.#unavailable(this.#preparation.recovery)));
			}
		} else {
			this.journal.note(state === "stopped" ? "prepared" : state);
		}
		this.#changed();
		this.#reconcile();
	}

	#isSettled(): boolean {
		const slots = [...this.#slots.values()];
		if (this.#plan === undefined) return true;
		return isSettled(this.#isStanding(), this.#preparation, slots);
	}

	#changed(): void {
		this.#around.events.onState(this.status());
	}

	#now(): number {
		return this.#around.clock.monotonic();
	}
}
