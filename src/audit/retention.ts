import type { AuditPlan } from "../config/evidence-plan.ts";
import type { AuditRetention } from "./messages.ts";

/** How long the payloads of a tenant's calls of a class are kept, in milliseconds. */
export function keepOf(retention: AuditRetention, tenant: string, risk: string): number {
	const own = Object.hasOwn(retention.tenants, tenant) ? retention.tenants[tenant] : undefined;
	return own?.risks[risk] ?? own?.keep_ms ?? retention.risks[risk] ?? retention.keep_ms;
}

/** The longest that anything is kept: so long stays the log itself. */
export function keepMax(retention: AuditRetention): number {
	const all = [retention, ...Object.values(retention.tenants)];
	return Math.max(...all.flatMap(({ keep_ms, risks }) => [keep_ms ?? 0, ...Object.values(risks)]));
}

const day_ms = 24 * 3_600_000;

/** What a configuration says of how long things are kept. */
export function retentionOf({ keep_days, classes, tenants }: AuditPlan): AuditRetention {
	const own = Object.entries(tenants).map(([tenant, keep]) => {
		const keep_ms = keep.keep_days === undefined ? undefined : keep.keep_days * day_ms;
		return [tenant, { keep_ms, risks: inMilliseconds(keep.classes) }] as const;
	});
	return {
		keep_ms: keep_days * day_ms,
		risks: inMilliseconds(classes),
		tenants: Object.fromEntries(own),
	};
}

function inMilliseconds(days: Readonly<Record<string, number>>): Record<string, number> {
	return Object.fromEntries(Object.entries(days).map(([name, count]) => [name, count * day_ms]));
}
