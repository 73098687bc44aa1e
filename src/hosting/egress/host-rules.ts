import { isIP } from "node:net";
import { bracketed, canonicalHost, type Target } from "./target.ts";

/** One entry of an allow-list: a host, or all names below it. */
export interface HostRule {
	readonly host: string;
	readonly is_wildcard: boolean;
	/** Undefined: the ports of https and http. */
	readonly port: number | undefined;
}

/** The ports of an entry that names none. */
const default_ports: readonly number[] = [443, 80];

/** Reads an entry of a plan; undefined for one that no connection can match. */
export function parseHostRule(text: string): HostRule | undefined {
	const [, star, name = "", port] = /^(\*\.)?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
	const host = canonicalHost(name);
	if (host === undefined) return undefined;
	const is_wildcard = star !== undefined;
	if (is_wildcard && isIP(host) !== 0) return undefined;
	return { host, is_wildcard, port: port === undefined ? undefined : Number(port) };
}

/** Whether an entry allows a target by its name alone. */
export function matchesRule(rule: HostRule, { host, port }: Target): boolean {
	const has_port = rule.port === undefined ? default_ports.includes(port) : rule.port === port;
	if (!has_port) return false;
	return rule.is_wildcard ? host.endsWith(`.${rule.host}`) : host === rule.host;
}

/** The entry that would allow this target and as little else as can be said. */
export function ruleFor({ host, port }: Target): string {
	const written = bracketed(host);
	return default_ports.includes(port) ? written : `${written}:${port}`;
}
