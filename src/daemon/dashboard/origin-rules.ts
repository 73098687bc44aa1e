import type { ServerPlan } from "../../config/plan.ts";
import { matchesRule, parseHostRule } from "../../hosting/egress/host-rules.ts";

/**
 * Which origins an app of a server may reach: those that the server may. A remote server, and one
 * that nothing shuts in, may reach all public ones.
 */
export function originRules({
	spec,
	sandbox,
	untrusted,
}: Pick<ServerPlan, "spec" | "sandbox" | "untrusted">): (origin: string) => boolean {
	const { egress, mode } = sandbox;
	if (spec.driver === "http") return () => true;
	if (egress.kind !== "hosts") return () => !untrusted;
	if (mode === "off" && !untrusted) return () => true;
	const rules = egress.hosts.flatMap((host) => parseHostRule(host) ?? []);
	return (origin) => {
		const [, star, host = "", port] = /^\w+:\/\/(\*\.)?([^:/]+)(?::(\d+))?$/.exec(origin) ?? [];
		const target = { host: host.toLowerCase(), port: port === undefined ? 443 : Number(port) };
		return rules.some((rule) => {
			if (star === undefined) return matchesRule(rule, target);
			// All names below a domain are allowed only by a rule about all of them.
			const below = target.host === rule.host || target.host.endsWith(`.${rule.host}`);
			return (
				rule.is_wildcard &&
				below &&
				matchesRule({ ...rule, is_wildcard: false, host: target.host }, target)
			);
		});
	};
}
