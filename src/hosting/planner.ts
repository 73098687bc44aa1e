import type { HealthPlan, IdlePlan } from "../config/plan.ts";
import { baseKey, type InstanceKey, isBaseKey } from "./instance-key.ts";
import type { PresentPulse } from "./pulse.ts";

/**
 * Which instance should exist and in which state: a pure function from what is wanted and
 * what is there to the steps in between. It decides; server.ts does. All times are on the
 * monotonic scale, in milliseconds.
 */

/** A place for another caller is kept this long for an instance that does not run. */
export const slot_kept_ms = 10 * 60_000;

/** An instance beside the replicas ends when it was not used for this long. */
export const spare_kept_ms = 60_000;

/** A server as the configuration wants it. */
export interface WantedServer {
	readonly name: string;
	/** Rises with every change of the configuration and every restart. */
	readonly generation: number;
	/** Whether its base instance runs although nobody asks for it. */
	readonly standing: boolean;
	/** Whether nothing of it may be prepared, started or woken now; what runs is left alone. */
	readonly off?: boolean | undefined;
	readonly idle: IdlePlan;
	readonly health: HealthPlan;
	/** When it is to be warm for somebody who will call; undefined: nobody said so. */
	readonly warm_at_ms: number | undefined;
}

/** What there is of a server now. */
export interface PresentServer {
	readonly name: string;
	readonly preparation: PresentPreparation;
	readonly slots: readonly PresentSlot[];
	/** Instances that take no new calls any more. */
	readonly retired: readonly PresentRetired[];
}

/** Whether it is known how to run the server: its package found, its program resolved. */
export interface PresentPreparation {
	readonly state: "declared" | "resolving" | "stopped" | "failed";
	readonly generation: number;
	readonly retry_at_ms: number | undefined;
}

/** The place of one instance key, with the instance that serves it, if one does. */
export interface PresentSlot {
	readonly key: InstanceKey;
	readonly state: "stopped" | "starting" | "ready" | "frozen" | "draining" | "failed";
	/** Generation of its instance; means nothing while there is none. */
	readonly generation: number;
	/** Since when nothing uses its instance; undefined while something does. */
	readonly unused_since_ms: number | undefined;
	/** False where the instance cannot be put to sleep. */
	readonly can_freeze: boolean;
	/** Whether its instance answers; undefined where nobody can know. */
	readonly pulse: PresentPulse | undefined;
	/** True once the instance, which is frozen, was asked to give its memory back. */
	readonly reclaimed: boolean;
	/** True for an instance beside the replicas, which ends as soon as nobody needs it. */
	readonly spare: boolean;
	/** False once nobody is expected to ask for it again. */
	readonly wanted: boolean;
	/** Calls that wait for it. */
	readonly waiting: number;
	readonly retry_at_ms: number | undefined;
	/** When it was last asked for. */
	readonly asked_at_ms: number;
}

/** An instance on its way out. */
export interface PresentRetired {
	readonly id: number;
	readonly leases: number;
	readonly close_at_ms: number;
}

/** One thing to do. Each step names all it needs. */
export type Step =
	/** Find out how to run the server: install its package, find its program. */
	| { readonly kind: "resolve"; readonly server: string }
	/** What sleeps is woken, or something is started: somebody will call soon. */
	| { readonly kind: "warm"; readonly server: string }
	| { readonly kind: "start"; readonly server: string; readonly key: InstanceKey }
	/** End a start that is no longer wanted. */
	| { readonly kind: "abort"; readonly server: string; readonly key: InstanceKey }
	/** No new calls for the instance; it drains. */
	| { readonly kind: "retire"; readonly server: string; readonly key: InstanceKey }
	/** No processor time for the instance until it is used again. */
	| { readonly kind: "freeze"; readonly server: string; readonly key: InstanceKey }
	/** The memory of a frozen instance is given back. */
	| { readonly kind: "reclaim"; readonly server: string; readonly key: InstanceKey }
	/** The instance is asked for a sign of life. */
	| { readonly kind: "ask"; readonly server: string; readonly key: InstanceKey }
	/** The instance hangs: it ends, and counts as one that failed. */
	| { readonly kind: "give_up"; readonly server: string; readonly key: InstanceKey }
	/** The instance was not used in a long time: it ends, and its place with it. */
	| { readonly kind: "stop"; readonly server: string; readonly key: InstanceKey }
	| { readonly kind: "close"; readonly server: string; readonly instance: number }
	/** Nothing is left of this key. */
	| { readonly kind: "drop"; readonly server: string; readonly key: InstanceKey };

/** What to do now, and when to look again if nothing happens before. */
export interface Steps {
	readonly steps: readonly Step[];
	readonly wake_at_ms: number | undefined;
}

/** The steps from what is there to what is wanted. Servers never influence each other. */
export function planSteps(
	wanted: readonly WantedServer[],
	present: readonly PresentServer[],
	now_ms: number,
): Steps {
	const by_name = new Map(wanted.map((server) => [server.name, server]));
	const plan = new Planning(now_ms);
	for (const server of present) {
		const target = by_name.get(server.name);
		planRetired(plan, server);
		if (target === undefined) {
			planEnd(plan, server);
		} else {
			planPreparation(plan, target, server.preparation);
			planSlots(plan, target, server);
		}
	}
	return { steps: plan.steps, wake_at_ms: plan.wake_at_ms };
}

/** Collects steps and the earliest time at which something falls due. */
class Planning {
	readonly now_ms: number;
	readonly steps: Step[] = [];
	wake_at_ms: number | undefined;

	constructor(now_ms: number) {
		this.now_ms = now_ms;
	}

	add(step: Step): void {
		this.steps.push(step);
	}

	/** Whether the time has come; if not, the plan is looked at again then. */
	isDue(at_ms: number | undefined): boolean {
		if (at_ms === undefined || at_ms <= this.now_ms) return true;
		this.wake_at_ms = Math.min(this.wake_at_ms ?? Number.POSITIVE_INFINITY, at_ms);
		return false;
	}
}

function planRetired(plan: Planning, server: PresentServer): void {
	for (const instance of server.retired) {
		if (instance.leases === 0 || plan.isDue(instance.close_at_ms)) {
			plan.add({ kind: "close", server: server.name, instance: instance.id });
		}
	}
}

/** The server is gone from the configuration: whatever is there of it ends. */
function planEnd(plan: Planning, server: PresentServer): void {
	for (const slot of server.slots) planUnwanted(plan, server.name, slot);
}

function planUnwanted(plan: Planning, server: string, slot: PresentSlot): void {
	const { key } = slot;
	switch (slot.state) {
		case "starting":
			return plan.add({ kind: "abort", server, key });
		case "ready":
		case "frozen":
			return plan.add({ kind: "retire", server, key });
		case "stopped":
		case "failed":
			return plan.add({ kind: "drop", server, key });
		case "draining":
			return;
	}
}

function planPreparation(
	plan: Planning,
	target: WantedServer,
	preparation: PresentPreparation,
): void {
	if (target.off === true) return;
	const outdated = preparation.generation !== target.generation;
	const pending =
		outdated ||
		preparation.state === "declared" ||
		(preparation.state === "failed" && plan.isDue(preparation.retry_at_ms));
	if (pending) plan.add({ kind: "resolve", server: target.name });
}

function planSlots(plan: Planning, target: WantedServer, server: PresentServer): void {
	const { preparation } = server;
	const prepared = preparation.state === "stopped" && preparation.generation === target.generation;
	const startable = prepared && target.off !== true;
	if (startable && target.warm_at_ms !== undefined && plan.isDue(target.warm_at_ms)) {
		plan.add({ kind: "warm", server: target.name });
	}
	let has_base = false;
	for (const slot of server.slots) {
		has_base ||= isBaseKey(slot.key);
		const kept = slot.wanted || slot.waiting > 0 || isStanding(target, slot);
		if (kept) planSlot(plan, target, slot, startable);
		else planUnwanted(plan, target.name, slot);
	}
	if (!has_base && target.standing && startable) {
		plan.add({ kind: "start", server: target.name, key: baseKey(target.name) });
	}
}

function isStanding(target: WantedServer, slot: PresentSlot): boolean {
	return target.standing && isBaseKey(slot.key);
}

function planSlot(
	plan: Planning,
	target: WantedServer,
	slot: PresentSlot,
	startable: boolean,
): void {
	const { key } = slot;
	const outdated = slot.generation !== target.generation;
	switch (slot.state) {
		case "starting":
			if (outdated || target.off === true) plan.add({ kind: "abort", server: target.name, key });
			return;
		case "ready":
		case "frozen":
			if (outdated) plan.add({ kind: "retire", server: target.name, key });
			else if (!planRest(plan, target, slot)) planHealth(plan, target, slot);
			return;
		case "draining":
			// The instance that ends here is waited for: one key never runs twice at a time.
			return;
		case "stopped":
		case "failed":
			if (isForgotten(plan, slot)) plan.add({ kind: "drop", server: target.name, key });
			else if (startable && isMissed(plan, target, slot) && plan.isDue(slot.retry_at_ms)) {
				plan.add({ kind: "start", server: target.name, key });
			}
	}
}

/** The idle ladder: what is not used goes down one step at a time. True where it takes one. */
function planRest(plan: Planning, target: WantedServer, slot: PresentSlot): boolean {
	const { keep, freeze_ms, reclaim_ms, stop_ms } = target.idle;
	const { key, unused_since_ms, can_freeze, spare } = slot;
	if (keep === "always" && !spare) return false;
	const stops = spare || (keep === "on-demand" && !isStanding(target, slot));
	const after_ms = spare ? Math.min(stop_ms ?? spare_kept_ms, spare_kept_ms) : stop_ms;
	// What is in use is looked at again after the time it could go down at the earliest: so the
	// end of a call need not be told to anybody, and still no instance goes down late.
	const since_ms = unused_since_ms ?? plan.now_ms;
	const dueAfter = (delay_ms: number | undefined) =>
		delay_ms !== undefined && plan.isDue(since_ms + delay_ms) && unused_since_ms !== undefined;
	const step = () => {
		if (stops && dueAfter(after_ms)) return "stop";
		if (slot.state === "ready") return can_freeze && dueAfter(freeze_ms) ? "freeze" : undefined;
		return !slot.reclaimed && dueAfter(reclaim_ms) ? "reclaim" : undefined;
	};
	const kind = step();
	if (kind !== undefined) plan.add({ kind, server: target.name, key });
	return kind !== undefined;
}

/** What is awake and has not answered lately is asked, and given up when it stays silent. */
function planHealth(plan: Planning, target: WantedServer, slot: PresentSlot): void {
	const { ping_ms, fails_max } = target.health;
	const { key, pulse } = slot;
	if (slot.state !== "ready" || pulse === undefined || ping_ms === undefined) return;
	if (pulse.unanswered >= fails_max) {
		plan.add({ kind: "give_up", server: target.name, key });
	} else if (!pulse.asking && plan.isDue(pulse.since_ms + ping_ms)) {
		plan.add({ kind: "ask", server: target.name, key });
	}
}

/**
 * An instance for particular callers that does not run and that nobody asked for in a long
 * time is not tried for ever.
 */
function isForgotten(plan: Planning, slot: PresentSlot): boolean {
	if (isBaseKey(slot.key) || slot.waiting > 0) return false;
	return plan.isDue(slot.asked_at_ms + slot_kept_ms);
}

/**
 * Whether something that does not run should: an instance that failed is started anew as long
 * as it would not have gone to sleep by now. After that its place only keeps the reason.
 */
function isMissed(plan: Planning, target: WantedServer, slot: PresentSlot): boolean {
	const { keep, stop_ms } = target.idle;
	if (slot.waiting > 0 || isStanding(target, slot)) return true;
	if (keep !== "on-demand" || stop_ms === undefined) return true;
	return slot.asked_at_ms + stop_ms > plan.now_ms;
}
