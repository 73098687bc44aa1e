import { allowed, type Check, type CheckedCall, type Verdict } from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { settingsFor } from "./risk.ts";

/**
 * Whether the caller's token has the scopes that a tool needs. Tools are listed all the same: a
 * client that is told what it lacks can ask for it (OAuth step-up).
 */
export class ScopesCheck implements Check {
	readonly name = "scopes";
	readonly #policy: CurrentPolicy;

	constructor(policy: CurrentPolicy) {
		this.#policy = policy;
	}

	check({ principal, method, server, name }: CheckedCall): Verdict {
		const { scopes } = principal;
		if (scopes === undefined || method !== "tools/call" || name === undefined) return allowed;
		const { tools } = this.#policy.serverPolicy(server);
		if (tools.length === 0) return allowed;
		const needed = [...new Set(settingsFor(name, tools).flatMap((one) => one.scopes))];
		const missing = needed.filter((scope) => !scopes.includes(scope));
		if (missing.length === 0) return allowed;
		const words = missing.map((scope) => `"${scope}"`).join(", ");
		const message = `This call needs ${missing.length === 1 ? "the scope" : "the scopes"} ${words}, which the token does not have.`;
		return { kind: "deny", code: "scope_missing", message, scopes: needed };
	}
}
