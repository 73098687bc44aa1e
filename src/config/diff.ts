import { canonicalJson } from "./fingerprint.ts";
import type { Plan } from "./plan.ts";

/** What differs between two plans. Server names are in the order of the plans. */
export interface PlanDiff {
	readonly added: readonly string[];
	readonly removed: readonly string[];
	/** In both plans, but run or filtered in another way. */
	readonly changed: readonly string[];
	readonly unchanged: readonly string[];
	/** Address, port or TLS files; takes effect with the next start. */
	readonly listen_changed: boolean;
	/** State folder; takes effect with the next start. */
	readonly data_changed: boolean;
	readonly endpoints_changed: boolean;
	/** Allowed hosts or origins, the HTTP+SSE transport, identity, policy or approvals. */
	readonly access_changed: boolean;
	readonly limits_changed: boolean;
	/** Nothing at all differs. */
	readonly same: boolean;
}

/** Compares two plans. A renamed server is one removed and one added. */
export function diffPlans(before: Plan, after: Plan): PlanDiff {
	const old_prints = new Map(before.servers.map((one) => [one.name, one.fingerprint]));
	const new_names = new Set(after.servers.map((one) => one.name));
	const kept = after.servers.filter((one) => old_prints.has(one.name));
	const added = after.servers.filter((one) => !old_prints.has(one.name)).map((one) => one.name);
	const removed = before.servers.map((one) => one.name).filter((name) => !new_names.has(name));
	const isChanged = (one: Plan["servers"][number]) => old_prints.get(one.name) !== one.fingerprint;
	const changed = kept.filter(isChanged).map((one) => one.name);
	const flags = {
		listen_changed:
			differs(before.listen, after.listen) || differs(before.front.tls, after.front.tls),
		data_changed: before.data !== after.data,
		endpoints_changed: differs(before.endpoints, after.endpoints),
		access_changed: differs(accessOf(before), accessOf(after)),
		limits_changed: differs(before.limits, after.limits),
	};
	const servers_same = added.length + removed.length + changed.length === 0;
	return {
		added,
		removed,
		changed,
		unchanged: kept.filter((one) => !isChanged(one)).map((one) => one.name),
		...flags,
		same: servers_same && !Object.values(flags).includes(true),
	};
}

function accessOf(plan: Plan): unknown {
	const { allowed_hosts, allowed_origins, sse, identity, policy, approvals, front } = plan;
	return [allowed_hosts, allowed_origins, sse, identity, policy, approvals ?? null, front];
}

function differs(a: unknown, b: unknown): boolean {
	return canonicalJson(a) !== canonicalJson(b);
}
