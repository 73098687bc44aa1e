import { ruleFor } from "./host-rules.ts";
import type { Verdict } from "./judge.ts";
import { egressLine } from "./ledger.ts";
import { bracketed, formatTarget, type Target } from "./target.ts";

/** What a server is told when its connection is not made: a status and a text for people. */
export interface Refusal {
	readonly status: 400 | 403 | 407 | 502;
	readonly text: string;
}

/** Why a verdict is not a connection, and which line of the configuration would change it. */
export function refusalOf(
	server: string,
	target: Target,
	verdict: Exclude<Verdict, { readonly kind: "allowed" }>,
): Refusal {
	const to = formatTarget(target);
	switch (verdict.kind) {
		case "unlisted":
			return {
				status: 403,
				text: `Moorage refused ${server} a connection to ${to}: the host is not listed. ${howTo(ruleFor(target))}`,
			};
		case "not-public": {
			const { address, address_kind } = verdict;
			const rule = ruleFor({ host: address, port: target.port });
			const leads = address === target.host ? "it is" : `it leads to ${bracketed(address)},`;
			return {
				status: 403,
				text: `Moorage refused ${server} a connection to ${to}: ${leads} a ${address_kind} address, and those have to be listed themselves. ${howTo(rule)}`,
			};
		}
		case "unknown-name":
			return { status: 502, text: `Moorage found no address for ${target.host}.\n` };
	}
}

/** The host was allowed, and could not be reached. */
export function unreachable(target: Target, reason: string): Refusal {
	const text = `Moorage could not connect to ${formatTarget(target)}: ${reason}.\n`;
	return { status: 502, text };
}

/** What was asked is nothing a proxy does. */
export const not_for_a_proxy: Refusal = {
	status: 400,
	text: "This is Moorage's proxy. It takes CONNECT host:port, and requests for http://host/path.\n",
};

/** Somebody else on this machine asks, or a client that leaves out what its address says. */
export const unknown_client: Refusal = {
	status: 407,
	text: "This proxy serves one server only, by the name and password of its HTTP_PROXY variable.\n",
};

function howTo(rule: string): string {
	return `To allow it, add it to the server's sandbox in moorage.yaml: ${egressLine([rule])}\n`;
}
