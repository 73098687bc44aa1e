import { isIP } from "node:net";

/** Where a connection is meant to lead. */
export interface Target {
	/** A lower-case name without a trailing dot, or an address in its shortest form, unbracketed. */
	readonly host: string;
	readonly port: number;
}

/** A request for an absolute http address, as a proxy gets it (RFC 9112, 3.2.2). */
export interface AbsoluteTarget extends Target {
	/** Path and query, as they are asked of the host. */
	readonly path: string;
}

const authority = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,254}):(\d{1,5})$/;
const absolute =
	/^http:\/\/(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,254})(?::(\d{1,5}))?([/?][^#]*)?$/i;
const http_port = 80;
const port_max = 65_535;
const name_length_max = 253;

/** Reads the target of a CONNECT request, `host:port` (RFC 9112, 3.2.3). */
export function parseAuthority(text: string): Target | undefined {
	const [, host = "", port = ""] = authority.exec(text) ?? [];
	return targetOf(host, Number(port));
}

/** Reads the target of any other request through a proxy; there is none but for http. */
export function parseAbsolute(text: string): AbsoluteTarget | undefined {
	const [, host = "", port = http_port, path = "/"] = absolute.exec(text) ?? [];
	const target = targetOf(host, Number(port));
	if (target === undefined) return undefined;
	return { ...target, path: path.startsWith("/") ? path : `/${path}` };
}

/**
 * The one form of a host, as written or with brackets: `0x7F.1` is `127.0.0.1`. Undefined where
 * it is neither a name nor an address, so that no two readers can differ about it.
 */
export function canonicalHost(text: string): string | undefined {
	const bracketed = isIP(text) === 6 ? `[${text}]` : text;
	const hostname = URL.parse(`http://${bracketed}/`)?.hostname.replace(/\.$/, "");
	if (hostname === undefined || hostname.length > name_length_max) return undefined;
	if (hostname.split(".").includes("")) return undefined;
	return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** `host:port` as people write it. */
export function formatTarget({ host, port }: Target): string {
	return `${bracketed(host)}:${port}`;
}

/** A host as it stands before a colon. */
export function bracketed(host: string): string {
	return isIP(host) === 6 ? `[${host}]` : host;
}

function targetOf(host: string, port: number): Target | undefined {
	if (host === "" || port < 1 || port > port_max) return undefined;
	const canonical = canonicalHost(host);
	return canonical === undefined ? undefined : { host: canonical, port };
}
