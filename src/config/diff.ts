import { canonicalJson } from "./fingerprint.ts";
import type { Plan } from "./plan.ts";

/** What differs between two plans. Server names are in the order of the plans. */
export interface PlanDiff {
	readonly added: readonly string[];
	readonly removed: readonly string[];
	/** In both plans, but run or filtered in another way. */
	readonly changed: readonly string[];
	readonly unchanged: readonly string[];
	/** Keys of the configuration, beside `servers`, that say something else. */
	readonly settings: readonly string[];
	/** Nothing at all differs. */
	readonly same: boolean;
}

/** What a plan has of each key of the configuration beside `servers`. */
const settings: Readonly<Record<string, (plan: Plan) => unknown>> = {
	listen: ({ listen }) => listen,
	tls: ({ front }) => front.tls,
	public_url: ({ front }) => front.public_url,
	trusted_proxies: ({ front }) => front.trusted_proxies,
	data: ({ data }) => data,
	allowed_hosts: ({ allowed_hosts }) => allowed_hosts,
	allowed_origins: ({ allowed_origins }) => allowed_origins,
	sse: ({ sse }) => sse,
	endpoints: ({ endpoints }) => endpoints,
	identity: ({ identity }) => identity,
	policy: ({ policy }) => policy,
	approvals: ({ approvals, approval_webhooks }) => [approvals, approval_webhooks],
	secrets: ({ secrets }) => secrets,
	limits: ({ limits }) => limits,
	calls: ({ calls }) => calls,
	audit: ({ audit }) => audit,
	telemetry: ({ telemetry }) => telemetry,
	alerts: ({ alerts }) => alerts,
};

/** Those that take effect with the next start only. */
const settings_of_a_start: ReadonlySet<string> = new Set(["listen", "tls", "data"]);

/** Which of the settings that differ wait for the next start. */
export function waitingSettings({ settings: changed }: PlanDiff): string[] {
	return changed.filter((name) => settings_of_a_start.has(name));
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
	const differing = Object.entries(settings)
		.filter(([, of]) => differs(of(before), of(after)))
		.map(([name]) => name);
	const servers_same = added.length + removed.length + changed.length === 0;
	return {
		added,
		removed,
		changed,
		unchanged: kept.filter((one) => !isChanged(one)).map((one) => one.name),
		settings: differing,
		same: servers_same && differing.length === 0,
	};
}

function differs(a: unknown, b: unknown): boolean {
	return canonicalJson(a ?? null) !== canonicalJson(b ?? null);
}
