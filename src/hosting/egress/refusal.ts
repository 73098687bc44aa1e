import { ruleFor } from "./host-rules.ts";
import type { EgressRules, Verdict } from "./judge.ts";
import { egressLine } from "./ledger.ts";
import { bracketed, formatTarget, type Target } from "./target.ts";

/** What a server is told when its connection is not made: a status and a text for people. */
export interface Refusal {
	readonly status: 400 | 403 | 407 | 502;
	readonly text: string;
}

/** A target that was not reached, with what its server's log says after naming it. */
export interface TargetRefusal extends Refusal {
	/** Why, and what would change it: sentences after a colon. */
	readonly why: string;
}

/** Why a verdict is not a connection, and which line of the configuration would change it. */
export function refusalOf(
	server: string,
	rules: EgressRules,
	target: Target,
	verdict: Exclude<Verdict, { readonly kind: "allowed" }>,
): TargetRefusal {
	const refused = (why: string): TargetRefusal => ({
		status: 403,
		text: `Moorage refused ${server} a connection to ${formatTarget(target)}: ${why}\n`,
		why,
	});
	switch (verdict.kind) {
		case "unlisted":
			return refused(`the host is not listed. ${howTo(rules, ruleFor(target))}`);
		case "not-public": {
			const { address, address_kind } = verdict;
			const rule = ruleFor({ host: address, port: target.port });
			const leads = address === target.host ? "it is" : `it leads to ${bracketed(address)},`;
			const own = "those have to be listed themselves";
			return refused(`${leads} a ${address_kind} address, and ${own}. ${howTo(rules, rule)}`);
		}
		case "unknown-name": {
			const text = `Moorage found no address for ${target.host}.\n`;
			const why = "its name leads to no address. Check how it is spelled, and this machine's DNS.";
			return { status: 502, text, why };
		}
	}
}

/** The host was allowed, and could not be reached. */
export function unreachable(target: Target, reason: string): TargetRefusal {
	const text = `Moorage could not connect to ${formatTarget(target)}: ${reason}.\n`;
	return { status: 502, text, why: `${reason}.` };
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

function howTo({ kind }: EgressRules, rule: string): string {
	// A list takes the place of `public`: what else the server reaches has to be in it as well.
	const rest = kind === "public" ? ", with the other hosts it needs" : "";
	return `To allow it, add it to the server's sandbox in moorage.yaml${rest}: ${egressLine([rule])}`;
}
