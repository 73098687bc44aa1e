/**
 * The names a gateway answers to, and the web origins that may call it. A page on a foreign
 * site can make a browser send requests to a loopback address, so both are checked.
 *
 * Entries are `name:port` or `name:*` for any port, origins with their scheme in front.
 */

const host_form = /^(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(\d{1,5}|\*))?$/;
const origin_form = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)\/?$/;
const default_ports: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** An `allowed_hosts` entry in its normal form; undefined when it is not one. */
export function normalizeHost(entry: string): string | undefined {
	const [, name, port = "*"] = host_form.exec(entry.trim().toLowerCase()) ?? [];
	if (name === undefined || !isPort(port)) return undefined;
	return `${name}:${port}`;
}

/** An `allowed_origins` entry in its normal form; undefined when it is not one. */
export function normalizeOrigin(entry: string): string | undefined {
	const [, scheme, authority] = origin_form.exec(entry.trim().toLowerCase()) ?? [];
	if (scheme === undefined || authority === undefined) return undefined;
	const [, name, written_port] = host_form.exec(authority) ?? [];
	const port = written_port ?? default_ports[scheme];
	if (name === undefined || (port !== undefined && !isPort(port))) return undefined;
	return port === undefined ? `${scheme}://${name}` : `${scheme}://${name}:${port}`;
}

/** Whether a `Host` header's value is among the allowed hosts of a plan. */
export function hostAllowed(allowed_hosts: readonly string[], header: string): boolean {
	const host = splitPort(header.trim().toLowerCase());
	if (host === undefined) return false;
	const { name, port } = host;
	return allowed_hosts.some(
		(entry) => entry === `${name}:*` || entry === `${name}:${port ?? "80"}`,
	);
}

/** Whether an `Origin` header's value is among the allowed origins of a plan. */
export function originAllowed(allowed_origins: readonly string[], header: string): boolean {
	const origin = normalizeOrigin(header);
	if (origin === undefined || origin.endsWith(":*")) return false;
	const any_port = `${origin.replace(/:\d+$/, "")}:*`;
	return allowed_origins.some((entry) => entry === origin || entry === any_port);
}

function splitPort(header: string): { name: string; port: string | undefined } | undefined {
	const [, name, port] = host_form.exec(header) ?? [];
	if (name === undefined || port === "*" || (port !== undefined && !isPort(port))) {
		return undefined;
	}
	return { name, port };
}

function isPort(port: string): boolean {
	return port === "*" || Number(port) <= 65_535;
}
