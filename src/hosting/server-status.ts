import type { ServerPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Recovery } from "./backoff.ts";
import type { EgressReport } from "./egress/ledger.ts";
import type { Instance } from "./instance.ts";
import { isBaseKey } from "./instance-key.ts";
import { describeRetired } from "./instance-status.ts";
import type { Preparation } from "./preparation.ts";
import type { Slot } from "./slot.ts";
import { type PastFailure, type ServerStatus, summariseState } from "./status.ts";

/** What the status of a server is made from. */
export interface ServerParts {
	readonly plan: ServerPlan;
	readonly preparation: Preparation;
	/** Whether nothing can be known of it before a person has connected an account to it. */
	readonly awaits_person: boolean;
	readonly slots: readonly Slot[];
	/** Instances that take no new calls any more. */
	readonly retired: readonly Instance[];
	/** True while something of an instance is being ended. */
	readonly closing: boolean;
	readonly restarts: number;
	readonly last_failure: PastFailure | undefined;
	readonly wakes: number;
	readonly clock: Clock;
	readonly egress: EgressReport | undefined;
}

/** A server as people see it. */
export function describeServer(parts: ServerParts): ServerStatus {
	const { plan, preparation, slots, retired, clock, egress } = parts;
	const trouble = troubleOf(preparation, slots);
	const waits = parts.awaits_person && !slots.some(({ usable }) => usable);
	const why = trouble?.failure ?? (waits ? waits_for_person : undefined);
	const retry_at_ms = trouble?.retry_at_ms;
	return {
		name: plan.name,
		title: plan.title,
		driver: plan.spec.driver,
		state: summariseState(
			preparation.state,
			slots.map((slot) => slot.state),
			parts.closing || retired.length > 0,
		),
		reason: why?.reason,
		code: why?.code,
		detail: trouble?.failure?.detail,
		exit_code: trouble?.failure?.exit_code,
		restarts: parts.restarts,
		last_failure: parts.last_failure,
		wakes: parts.wakes,
		next_try_at_ms:
			retry_at_ms === undefined
				? undefined
				: Math.round(clock.now() + Math.max(0, retry_at_ms - clock.monotonic())),
		instances: [...slots.map((slot) => slot.status()), ...retired.map(describeRetired)],
		...(egress === undefined || asksNothing(egress) ? {} : { egress }),
	};
}

/** Nothing is wrong with it: nobody has come yet. */
const waits_for_person = {
	code: "authorization_required",
	reason:
		"It waits for the first person who connects an account of theirs: what it offers is known then.",
} as const;

/**
 * True when nothing is about to happen to a server that a caller should wait for: it is ready,
 * it has failed, or nobody has asked for it.
 */
export function isSettled(
	standing: boolean,
	preparation: Preparation,
	slots: readonly Slot[],
): boolean {
	if (preparation.recovery.failed) return true;
	if (slots.some((slot) => slot.usable)) return true;
	if (preparation.state !== "stopped") return false;
	if (slots.length === 0) return !standing;
	return slots.every((slot) => slot.recovery.failed);
}

/** What is wrong now: with the preparation, else with the first slot that is not ready. */
function troubleOf(preparation: Preparation, slots: readonly Slot[]): Recovery | undefined {
	if (preparation.recovery.failure !== undefined) return preparation.recovery;
	const troubled = slots.filter((slot) => !slot.usable && slot.recovery.failure !== undefined);
	return (troubled.find((slot) => isBaseKey(slot.key)) ?? troubled[0])?.recovery;
}

function asksNothing({ used, refused, unproxied }: EgressReport): boolean {
	return used.length + refused.length + unproxied.length === 0;
}
