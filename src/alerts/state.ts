import type { RulePlan, Severity } from "../config/alert-rules.ts";

/** What a rule saw of one subject. */
export interface Observation {
	/** Which tool, tenant, server, ... */
	readonly subject: string;
	readonly value: number;
	readonly threshold: number;
	/** A sentence for people. */
	readonly summary: string;
}

/** One alert, from the first time its rule held to its end. */
export interface Alert {
	/** Of this one time; the next time has another. */
	readonly id: string;
	readonly rule: string;
	readonly subject: string;
	readonly severity: Severity;
	readonly state: "pending" | "firing" | "resolved";
	/** When its rule began to hold. */
	readonly since_ms: number;
	readonly fired_at_ms: number | undefined;
	readonly resolved_at_ms: number | undefined;
	/** When its rule held last. */
	readonly seen_at_ms: number;
	readonly value: number;
	readonly threshold: number;
	readonly summary: string;
	/** When people were told last that it fires; undefined: never. */
	readonly told_at_ms: number | undefined;
	/** How often they were told. */
	readonly told: number;
}

/** What people are told. */
export type News = "firing" | "resolved";

/** Everything that decides what becomes of an alert. */
export interface Circumstances {
	readonly rule: RulePlan;
	readonly now_ms: number;
	/** Nobody is told as long as it is silenced. */
	readonly silenced: boolean;
	readonly repeat_ms: number | undefined;
	/** The id of an alert that begins now. */
	id(): string;
}

/** What an alert becomes, and what people are to be told; undefined alerts are forgotten. */
export interface Next {
	readonly alert: Alert | undefined;
	readonly news: News | undefined;
}

/**
 * What becomes of an alert after its rule was looked at. `seen` is undefined when the rule does
 * not hold; where it could not be looked at, nothing must be asked here.
 *
 * ```
 * (none) -> pending -> firing -> resolved
 *   ^----------/         \___ holds again within clear_ms: still the same alert
 * ```
 */
export function nextState(
	alert: Alert | undefined,
	seen: Observation | undefined,
	around: Circumstances,
): Next {
	const open = alert?.state === "resolved" ? undefined : alert;
	if (seen === undefined) {
		return open === undefined ? { alert: undefined, news: undefined } : quiet(open, around);
	}
	return tell(held(open ?? begin(seen, around), seen, around), around);
}

function begin(seen: Observation, { rule, now_ms, id }: Circumstances): Alert {
	return {
		id: id(),
		rule: rule.name,
		subject: seen.subject,
		severity: rule.severity,
		state: "pending",
		since_ms: now_ms,
		fired_at_ms: undefined,
		resolved_at_ms: undefined,
		seen_at_ms: now_ms,
		value: seen.value,
		threshold: seen.threshold,
		summary: seen.summary,
		told_at_ms: undefined,
		told: 0,
	};
}

function held(alert: Alert, seen: Observation, { rule, now_ms }: Circumstances): Alert {
	const { value, threshold, summary } = seen;
	// A clock that was set back must not keep an alert pending for as long.
	const since_ms = Math.min(alert.since_ms, now_ms);
	const base = { ...alert, value, threshold, summary, since_ms, seen_at_ms: now_ms };
	if (alert.state === "firing" || now_ms - since_ms < rule.for_ms) return base;
	return { ...base, state: "firing", fired_at_ms: now_ms };
}

function quiet(alert: Alert, around: Circumstances): Next {
	if (alert.state === "pending") return { alert: undefined, news: undefined };
	const { rule, now_ms, silenced } = around;
	const seen_at_ms = Math.min(alert.seen_at_ms, now_ms);
	const since_ms = Math.min(alert.since_ms, now_ms);
	if (now_ms - seen_at_ms < rule.clear_ms) return tell({ ...alert, since_ms, seen_at_ms }, around);
	const resolved: Alert = {
		...alert,
		since_ms,
		seen_at_ms,
		state: "resolved",
		resolved_at_ms: now_ms,
	};
	// Who was never told that it fires need not hear that it is over.
	return { alert: resolved, news: alert.told > 0 && !silenced ? "resolved" : undefined };
}

function tell(alert: Alert, { now_ms, silenced, repeat_ms }: Circumstances): Next {
	if (alert.state !== "firing" || silenced) return { alert, news: undefined };
	const told_at_ms =
		alert.told_at_ms === undefined ? undefined : Math.min(alert.told_at_ms, now_ms);
	const due =
		told_at_ms === undefined || (repeat_ms !== undefined && now_ms - told_at_ms >= repeat_ms);
	if (!due) return { alert: { ...alert, told_at_ms }, news: undefined };
	return { alert: { ...alert, told_at_ms: now_ms, told: alert.told + 1 }, news: "firing" };
}
