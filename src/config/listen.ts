import { isIPv4, isIPv6 } from "node:net";
import type { Result } from "../lib/result.ts";
import { fail, succeed } from "../lib/result.ts";

/** Where to listen. Port 0 lets the machine choose one. */
export interface ListenAddress {
	readonly host: string;
	readonly port: number;
}

/** Why an address is not taken, and what to do. */
export interface ListenProblem {
	readonly message: string;
	readonly next: string;
}

const address_form = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]*)):(\d{1,5})$/;

/**
 * Reads `HOST:PORT` or `[IPV6]:PORT`. Without identity only this machine itself may be named;
 * with it also other addresses of its own.
 */
export function parseListen(text: string, identity: boolean): Result<ListenAddress, ListenProblem> {
	const [, bracketed, plain, port_text] = address_form.exec(text.trim()) ?? [];
	const host = bracketed ?? plain;
	const port = Number(port_text);
	if (host === undefined || port_text === undefined || port > 65_535) {
		return fail({
			message: "The address to listen on is not of the form HOST:PORT.",
			next: "Write for example `127.0.0.1:8642`.",
		});
	}
	if (identity && (isIPv4(host) || isIPv6(host))) return succeed({ host, port });
	if (!isLoopback(host)) {
		const shown = host === "" ? "every address" : `\`${host}\``;
		return fail({
			message: `Moorage does not listen on ${shown}: without identity, whoever can connect could use every server.`,
			next: `Listen on \`127.0.0.1:${port}\`, or give people API keys under \`identity\` and name an IP address of this machine.`,
		});
	}
	return succeed({ host, port });
}

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
	if (isIPv4(host)) return host.startsWith("127.");
	// The URL parser writes every form of an IPv6 address the same way.
	if (isIPv6(host)) return URL.parse(`http://[${host}]/`)?.hostname === "[::1]";
	return host.toLowerCase() === "localhost";
}
