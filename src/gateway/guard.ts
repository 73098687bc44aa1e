/**
 * DNS-rebinding protection: a page in a browser can make its own host name resolve to this
 * machine, but it can fake neither `Host` nor `Origin` (transports, security warning).
 */

/** Hosts and origins that may reach the gateway. An entry without a port allows any port. */
export interface GuardRules {
	readonly hosts: readonly string[];
	readonly origins: readonly string[];
}

/** True when a `Host` header names an allowed host. A missing header is not allowed. */
export function isAllowedHost(host: string | undefined, rules: GuardRules): boolean {
	if (host === undefined) return false;
	const { hosts } = rules;
	// Lists are as frozen as the plan they are of: what one allowed it allows again.
	if (last_allowed.host === host && last_allowed.hosts === hosts) return true;
	const value = host.toLowerCase();
	if (!hosts.includes(value) && !hosts.includes(withoutPort(value))) return false;
	last_allowed = { host, hosts };
	return true;
}

/** The host that was allowed last, and by which list: the same one comes again and again. */
let last_allowed: { readonly host: string; readonly hosts: readonly string[] } = {
	host: "",
	hosts: [],
};

/** True when there is no `Origin` (not a browser) or it is an allowed one. */
export function isAllowedOrigin(origin: string | undefined, rules: GuardRules): boolean {
	if (origin === undefined) return true;
	const value = origin.toLowerCase();
	return rules.origins.includes(value) || rules.origins.includes(withoutPort(value));
}

function withoutPort(value: string): string {
	return value.replace(/:\d{1,5}$/, "");
}
