import type { ServerPlan } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import { counted } from "../lib/counted.ts";
import { succeed } from "../lib/result.ts";
import { afterTurn } from "../lib/turn.ts";
import type { Fault } from "../protocol/fault.ts";
import { afterFailure, awaitsPerson, clean_recovery, type Recovery, stable_ms } from "./backoff.ts";
import { type Failure, failureOfTime, safeFailure } from "./failure.ts";
import { Instance, type InstanceEnd } from "./instance.ts";
import { type InstanceKey, isBaseKey, keyText } from "./instance-key.ts";
import type { Journal } from "./journal.ts";
import type { PresentRetired, PresentSlot, Step } from "./planner.ts";
import type { Resolved } from "./resolved.ts";
import { Slot } from "./slot.ts";
import type { PastFailure } from "./status.ts";
import type { Surroundings } from "./surroundings.ts";

/** What new instances are started with. */
export interface Orders {
	readonly plan: ServerPlan;
	readonly generation: number;
	readonly resolved: Resolved;
}

/** The server that a fleet belongs to. */
export interface FleetOwner {
	/** What an instance that starts now is made from. */
	orders(): Orders;
	/** Calls that one instance works on at a time. */
	callsMax(): number;
	/** How long a call may wait for its turn. */
	queueTime(): number;
	/** How long calls in flight may go on once their instance takes no more. */
	drainTime(): number;
	/** Whether the base instance runs although nobody asks for it. */
	isStanding(): boolean;
	/** Something happened that the planner should see. */
	onChange(): void;
	/** A state changed that people should see. */
	onState(): void;
	/** The answer to those who wait for what failed. */
	unavailable(recovery: Recovery): Fault;
	/** The program to run was not there. */
	onProgramMissing(): void;
}

interface Retired {
	readonly instance: Instance;
	close_at_ms: number;
}

/** The steps that concern what runs. */
export type FleetStep = Exclude<Step, { kind: "resolve" | "warm" }>;

/** Everything that runs of one server: it does the steps of the plan, and tells what happens. */
export class Fleet {
	readonly #around: Surroundings;
	readonly #journal: Journal;
	readonly #owner: FleetOwner;
	readonly #slots = new Map<string, Slot>();
	readonly #retired = new Map<number, Retired>();
	readonly #closing = new Set<Promise<void>>();
	#restarts = 0;
	#last_failure: PastFailure | undefined;
	#wakes = 0;
	#asks = false;
	/** The instance that everybody, or nobody in particular, asked for last. */
	#common_key: InstanceKey | undefined;

	constructor(around: Surroundings, journal: Journal, owner: FleetOwner) {
		this.#around = around;
		this.#journal = journal;
		this.#owner = owner;
	}

	/** True when nothing runs or waits any more. */
	get is_empty(): boolean {
		return this.#slots.size === 0 && this.#retired.size === 0 && this.#closing.size === 0;
	}

	/** True while something of an instance is being ended. */
	get closing(): boolean {
		return this.#closing.size > 0;
	}

	/** How often something was started again after a failure. */
	get restarts(): number {
		return this.#restarts;
	}

	/** What went wrong last, if anything ever did. */
	get last_failure(): PastFailure | undefined {
		return this.#last_failure;
	}

	/** How often something frozen was woken. */
	get wakes(): number {
		return this.#wakes;
	}

	/** Places of instances there are, running or not. */
	get size(): number {
		return this.#slots.size;
	}

	/** Whether its instances are known to ask their clients questions in the middle of a call. */
	get asks(): boolean {
		return this.#asks;
	}

	get slots(): Slot[] {
		return [...this.#slots.values()];
	}

	/** Instances that take no new calls any more. */
	get retired(): Instance[] {
		return [...this.#retired.values()].map(({ instance }) => instance);
	}

	/** What the planner sees of it. */
	view(): { readonly slots: PresentSlot[]; readonly retired: PresentRetired[] } {
		return {
			slots: this.slots.map((slot) => slot.view()),
			retired: [...this.#retired].map(([id, { instance, close_at_ms }]) => ({
				id,
				leases: instance.leases?.count ?? 0,
				close_at_ms,
			})),
		};
	}

	/** Freezes what is awake; the returned function lets it go on. */
	async still(): Promise<() => Promise<void>> {
		const awake = this.slots.filter(({ state }) => state === "ready");
		const held = awake.flatMap((slot) => {
			const hibernation = slot.instance?.upstream?.hibernation;
			return hibernation === undefined ? [] : [{ slot, hibernation }];
		});
		for (const { slot } of held) slot.instance?.pulse?.pause();
		await Promise.all(held.map(({ hibernation }) => hibernation.freeze()));
		return async () => {
			// What went to sleep by itself meanwhile stays asleep.
			const still = held.filter(({ slot }) => slot.state === "ready");
			await Promise.all(still.map(({ hibernation }) => hibernation.thaw()));
			for (const { slot } of still) slot.instance?.pulse?.resume();
			this.#owner.onChange();
		};
	}

	find(key: InstanceKey): Slot | undefined {
		return this.#slots.get(keyText(key));
	}

	/** Makes the place of a key that has none. */
	open(key: InstanceKey, spare: boolean): Slot {
		if (!spare && key.scope_key === "") this.#common_key = key;
		const slot = new Slot(key, this.#around.clock, spare);
		this.#slots.set(keyText(key), slot);
		return slot;
	}

	/** Gives up the place that was not asked for in the longest time; false when all are in use. */
	evict(): boolean {
		let oldest: Slot | undefined;
		for (const slot of this.#slots.values()) {
			const standing = isBaseKey(slot.key) && this.#owner.isStanding();
			if (standing || slot.is_busy) continue;
			if (oldest === undefined || slot.asked_at_ms < oldest.asked_at_ms) oldest = slot;
		}
		if (oldest === undefined) return false;
		oldest.wanted = false;
		this.#owner.onChange();
		return true;
	}

	/** Old failures are forgotten: what runs from now on is something else. */
	forgive(): void {
		this.#asks = false;
		this.forgiveThose(() => true);
	}

	/** The failures of some are forgotten; true where there were such. */
	forgiveThose(which: (failure: Failure | undefined) => boolean): boolean {
		const those = [...this.#slots.values()].filter(({ recovery }) => which(recovery.failure));
		for (const slot of those) {
			slot.recovery = clean_recovery;
			if (slot.state === "failed") slot.enter("stopped");
		}
		return those.length > 0;
	}

	/** What is on its way out gets at most this long from now. */
	hasten(drain_ms: number): void {
		const latest_ms = this.#now() + drain_ms;
		for (const retired of this.#retired.values()) {
			retired.close_at_ms = Math.min(retired.close_at_ms, latest_ms);
		}
	}

	/** The thaw is on its way when this returns; what is sent from now on is read after it. */
	wake(slot: Slot): void {
		const { instance } = slot;
		assert(instance?.sleep !== undefined, "only what runs is woken");
		this.#wakes += 1;
		instance.sleep.thaw();
		instance.touch();
		instance.pulse?.resume();
		slot.enter("ready");
		this.#journal.note("woken", instance.id);
		// To tell and to plan takes longer than to wake: the call that has woken it goes first.
		afterTurn(() => {
			this.#owner.onState();
			this.#owner.onChange();
		});
	}

	/**
	 * Wakes what sleeps; where nothing runs, what was asked for last for nobody in particular is
	 * asked for, or else `base`, where there may be such a one.
	 */
	warm(base: InstanceKey | undefined): void {
		const { slots } = this;
		for (const slot of slots) if (slot.state === "frozen") this.wake(slot);
		if (slots.some(({ usable, state }) => usable || state === "starting")) return;
		const key = base === undefined ? undefined : (this.#common_key ?? base);
		if (key === undefined) return;
		const slot = this.find(key) ?? this.open(key, false);
		slot.wanted = true;
		slot.asked_at_ms = this.#now();
	}

	/** Puts to sleep whatever is awake and not in use; false where there is nothing such. */
	freezeIdle(): boolean {
		const idle = this.slots.filter(({ state, is_busy, instance }) => {
			return state === "ready" && !is_busy && instance?.sleep?.can_freeze === true;
		});
		for (const slot of idle) this.#freeze(slot);
		return idle.length > 0;
	}

	perform(step: FleetStep): void {
		if (step.kind === "start") return this.#start(step.key);
		if (step.kind === "close") {
			const retired = this.#retired.get(step.instance);
			assert(retired !== undefined, "only a retired instance is closed");
			this.#retired.delete(step.instance);
			return this.#close(retired.instance, retired.close_at_ms - this.#now());
		}
		const slot = this.find(step.key);
		assert(slot !== undefined, "a step names a key that is there");
		switch (step.kind) {
			case "abort":
				slot.enter("draining");
				slot.instance?.abort();
				return this.#owner.onState();
			case "retire":
				return this.#retire(slot);
			case "freeze":
				return this.#freeze(slot);
			case "ask":
				return this.#ask(slot);
			case "give_up":
				return this.#giveUp(slot);
			case "reclaim":
				slot.instance?.sleep?.reclaim();
				return this.#owner.onState();
			case "stop":
				return this.#stop(slot);
			case "drop":
				assert(slot.line.length === 0, "nobody may be left waiting");
				this.#slots.delete(keyText(step.key));
		}
	}

	#start(key: InstanceKey): void {
		const slot = this.find(key) ?? this.open(key, false);
		const retry = slot.recovery.failures > 0;
		if (retry) this.#restarts += 1;
		const id = this.#journal.nextInstance();
		slot.enter("starting");
		const { events } = this.#around;
		slot.instance = new Instance({
			...this.#owner.orders(),
			id,
			key,
			retry,
			around: this.#around,
			owner: {
				onTurn: () => slot.line.begin(),
				onReady: (instance) => this.#onReady(slot, instance),
				onEnd: (instance, end) => this.#onEnd(slot, instance, end),
				onBack: (instance, last) => this.#onBack(slot, instance, last),
				onQuestion: () => {
					this.#asks = true;
				},
				onFreezeFailed: (instance) => this.#onFreezeFailed(slot, instance),
				onLine: ({ id }, stream, line) => this.#journal.take(stream, id, line),
				onPush: (_instance, message) => events.onPush(key, message),
				onRequest: ({ leases }, ask) => {
					if (leases !== undefined && leases.count > 0) this.#asks = true;
					events.onRequest(key, ask, leases?.askers ?? []);
				},
			},
		});
		this.#journal.note("starting", id);
		slot.instance.start();
		this.#owner.onState();
	}

	#freeze(slot: Slot): void {
		assert(slot.instance !== undefined, "only what runs is frozen");
		slot.enter("frozen");
		this.#journal.note("frozen", slot.instance.id);
		slot.instance.pulse?.pause();
		slot.instance.sleep?.freeze();
		this.#owner.onState();
	}

	#ask(slot: Slot): void {
		const pulse = slot.instance?.pulse;
		assert(pulse !== undefined, "only what runs is asked");
		const { ping_ms } = this.#owner.orders().plan.health;
		assert(ping_ms !== undefined, "only who wants to know asks");
		pulse.ask(ping_ms, () => this.#owner.onChange());
	}

	/** Ends an instance that hangs. Its key starts again only when nothing of it is left. */
	#giveUp(slot: Slot): void {
		const { instance } = slot;
		const upstream = instance?.upstream;
		assert(instance !== undefined && upstream !== undefined, "only what runs is given up");
		const signs = counted(instance.pulse?.unanswered ?? 0, "sign");
		const what = `did not answer ${signs} of life`;
		const failure = failureOfTime(slot.key.server, what, "server_failed");
		slot.enter("draining");
		this.#journal.note(`${what}, ending it`, instance.id);
		this.#around.events.onRetired?.(slot.key, upstream);
		this.#owner.onState();
		this.#close(instance, 0, () => this.#onFailure(slot, instance, failure));
	}

	#onFreezeFailed(slot: Slot, instance: Instance): void {
		if (slot.instance !== instance || slot.state !== "frozen") return;
		this.#journal.note("it could not be frozen and runs on", instance.id);
		slot.enter("ready");
		instance.pulse?.resume();
		this.#owner.onState();
		this.#owner.onChange();
	}

	/** Ends an instance nobody uses. Its key starts again only when nothing of it is left. */
	#stop(slot: Slot): void {
		const { instance } = slot;
		const upstream = instance?.upstream;
		assert(instance !== undefined && upstream !== undefined, "only what runs is stopped");
		slot.wanted = false;
		slot.enter("draining");
		this.#journal.note("not used, stopping", instance.id);
		this.#around.events.onRetired?.(slot.key, upstream);
		this.#owner.onState();
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
		const close_at_ms = this.#now() + this.#owner.drainTime();
		this.#retired.set(instance.id, { instance, close_at_ms });
		this.#journal.note("draining", instance.id);
		this.#around.events.onRetired?.(slot.key, upstream);
		this.#owner.onState();
	}

	#close(instance: Instance, drain_ms: number, onClosed?: () => void): void {
		const closing = instance.close(Math.max(0, drain_ms)).then(() => {
			this.#closing.delete(closing);
			onClosed?.();
			this.#journal.note("stopped", instance.id);
			this.#owner.onState();
			this.#owner.onChange();
		});
		this.#closing.add(closing);
	}

	#onReady(slot: Slot, instance: Instance): void {
		const { upstream } = instance;
		assert(upstream !== undefined, "what is ready has an upstream");
		slot.enter("ready");
		this.#journal.noteReady(upstream.hello.revision, instance.id);
		this.#serve(slot);
		// It is no longer the start that the others wait for, but their turn.
		slot.line.prolong(this.#owner.queueTime());
		this.#around.events.onReady(slot.key, upstream);
		this.#owner.onState();
		this.#owner.onChange();
	}

	/** Lets in those who wait, as far as there is room. */
	#serve(slot: Slot): void {
		if (slot.line.length === 0) return;
		const calls_max = this.#owner.callsMax();
		slot.line.serve((use) => {
			const lease = slot.lease(use, calls_max);
			return lease && succeed(lease);
		});
	}

	#onBack(slot: Slot, instance: Instance, last: boolean): void {
		if (slot.instance === instance) this.#serve(slot);
		else if (last && this.#retired.has(instance.id)) this.#owner.onChange();
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
		this.#owner.onChange();
	}

	#onAborted(slot: Slot, instance: Instance): void {
		slot.instance = undefined;
		slot.enter("stopped");
		this.#journal.note("start given up", instance.id);
		this.#owner.onState();
	}

	#onFailure(slot: Slot, instance: Instance, raw: Failure): void {
		const failure = safeFailure(this.#around.redactor, raw);
		const now_ms = this.#now();
		const { reason, exit_code } = failure;
		this.#last_failure = { reason, exit_code, at_ms: this.#around.clock.now() };
		if (slot.in_use > 0) slot.asked_at_ms = now_ms;
		const ready_at_ms = instance.ready_at_ms;
		const stable = ready_at_ms !== undefined && now_ms - ready_at_ms >= stable_ms;
		const event = { failure, stable, now_ms };
		const recovery = afterFailure(slot.recovery, event, this.#around.random);
		slot.recovery = recovery;
		slot.volume = instance.volume ?? slot.volume;
		slot.instance = undefined;
		slot.enter(recovery.failed ? "failed" : "stopped");
		this.#journal.noteFailure(recovery, failure, instance.id);
		const refused_until_ms =
			recovery.failed || awaitsPerson(failure)
				? Number.POSITIVE_INFINITY
				: (recovery.retry_at_ms ?? 0);
		slot.line.refuseBefore(refused_until_ms, () => this.#owner.unavailable(recovery));
		// The program may be there next time, in another place: look for it again by then.
		if (failure.code === "command_missing") this.#owner.onProgramMissing();
		this.#owner.onState();
	}

	#now(): number {
		return this.#around.clock.monotonic();
	}
}
