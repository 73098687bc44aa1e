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

/** What holds for those who come from elsewhere. */
export interface ListenRules {
	/** Whether callers are known. */
	readonly identity: boolean;
	/** Whether TLS ends here or in front. */
	readonly encrypted: boolean;
}

/**
 * Reads `HOST:PORT` or `[IPV6]:PORT`. Other addresses than this machine itself may be named only
 * where callers are known and what they send is encrypted.
 */
export function parseListen(
	text: string,
	rules: ListenRules,
): Result<ListenAddress, ListenProblem> {
	const [, bracketed, plain, port_text] = address_form.exec(text.trim()) ?? [];
	const host = bracketed ?? plain;
	const port = Number(port_text);
	if (host === undefined || port_text === undefined || port > 65_535) {
		return fail({
			message: "The address to listen on is not of the form HOST:PORT.",
			next: "Write for example `127.0.0.1:8642`.",
		});
	}
	if (isLoopback(host)) return succeed({ host, port });
	if (!rules.identity || (!isIPv4(host) && !isIPv6(host))) {
		const shown = host === "" ? "every address" : `\`${host}\``;
		return fail({
			message: `Moorage does not listen on ${shown}: without identity, whoever can connect could use every server.`,
			next: `Listen on \`127.0.0.1:${port}\`, or give people API keys under \`identity\` and name an IP address of this machine.`,
		});
	}
	const problem = unencryptedProblem(host, rules);
	return problem === undefined ? succeed({ host, port }) : fail(problem);
}

/** Why an address that others reach is not listened on though callers are known. */
export function unencryptedProblem(host: string, rules: ListenRules): ListenProblem | undefined {
	if (rules.encrypted || isLoopback(host)) return undefined;
	return {
		message: `Moorage does not listen on \`${host}\` without TLS: credentials and calls would travel unencrypted.`,
		next: "Add `tls` with a certificate; or set `public_url` to the https address of a reverse proxy, and list the proxy's own address under `trusted_proxies`.",
	};
}

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
	if (isIPv4(host)) return host.startsWith("127.");
	// The URL parser writes every form of an IPv6 address the same way.
	if (isIPv6(host)) return URL.parse(`http://[${host}]/`)?.hostname === "[::1]";
	return host.toLowerCase() === "localhost";
}
