/**
 * The names a gateway answers to, and the web origins that may call it. An entry without a
 * port allows every port; this is the form the gateway's guard compares with.
 */

const host_form = /^(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(\d{1,5}))?$/;
const origin_form = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)\/?$/;
const usual_ports: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** An `allowed_hosts` entry in its normal form; undefined when it is not one. */
export function normalizeHost(entry: string): string | undefined {
	const [, name, port] = host_form.exec(entry.trim().toLowerCase()) ?? [];
	if (name === undefined || Number(port ?? 0) > 65_535) return undefined;
	return port === undefined ? name : `${name}:${Number(port)}`;
}

/**
 * An `allowed_origins` entry in its normal form; undefined when it is not one. Browsers leave
 * out the usual port of a scheme, so an entry has to do without it as well.
 */
export function normalizeOrigin(entry: string): string | undefined {
	const [, scheme, authority] = origin_form.exec(entry.trim().toLowerCase()) ?? [];
	if (scheme === undefined || authority === undefined) return undefined;
	const host = normalizeHost(authority);
	if (host === undefined) return undefined;
	const usual = usual_ports[scheme];
	const is_usual = usual !== undefined && host.endsWith(`:${usual}`);
	return `${scheme}://${is_usual ? host.slice(0, -usual.length - 1) : host}`;
}
