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

/** Reads `HOST:PORT` or `[IPV6]:PORT`. Only this machine itself may be named. */
export function parseListen(text: string): Result<ListenAddress, ListenProblem> {
	const [, bracketed, plain, port_text] = address_form.exec(text.trim()) ?? [];
	const host = bracketed ?? plain;
	const port = Number(port_text);
	if (host === undefined || port_text === undefined || port > 65_535) {
		return fail({
			message: "The address to listen on is not of the form HOST:PORT.",
			next: "Write for example `127.0.0.1:8642`.",
		});
	}
	if (!isLoopback(host)) {
		const shown = host === "" ? "every address" : `\`${host}\``;
		return fail({
			message: `Moorage does not listen on ${shown}: without identity, whoever can connect could use every server.`,
			next: `Listen on \`127.0.0.1:${port}\`, and reach it from elsewhere through an SSH tunnel or a reverse proxy that checks who calls.`,
		});
	}
	return succeed({ host, port });
}

function isLoopback(host: string): boolean {
	if (isIPv4(host)) return host.startsWith("127.");
	// The URL parser writes every form of an IPv6 address the same way.
	if (isIPv6(host)) return URL.parse(`http://[${host}]/`)?.hostname === "[::1]";
	return host.toLowerCase() === "localhost";
}
