import type { Principal } from "../identity/principal.ts";
import {
	allowed,
	type Check,
	type CheckedCall,
	type Listed,
	type ToolFacts,
	type Verdict,
} from "./check.ts";
import type { CurrentPolicy } from "./current-policy.ts";

/**
 * Beyond loopback, tools that may change something are offered only where the configuration says
 * of what risk they are, or says that this does not matter.
 */
export class ExposureCheck implements Check {
	readonly name = "unclassified";
	readonly #policy: CurrentPolicy;

	constructor(policy: CurrentPolicy) {
		this.#policy = policy;
	}

	check({ method, server, name, tool }: CheckedCall): Verdict {
		if (method !== "tools/call" || this.#mayBeExposed(server, tool)) return allowed;
		const message =
			`The tool "${name ?? ""}" of "${server}" may change something and has no risk class, so it ` +
			`is not offered beyond loopback. Whoever runs this gateway can give it one under ` +
			`\`servers.${server}.tools\`.`;
		return { kind: "deny", code: "policy_denied", message, rule: this.name };
	}

	/** Undefined where nothing is kept out of a list. */
	get mayList(): ((who: Principal, item: Listed) => boolean) | undefined {
		return this.#policy.hides_unclassified ? this.#mayList : undefined;
	}

	readonly #mayList = (_: Principal, { kind, server, tool }: Listed): boolean =>
		kind !== "tool" || this.#mayBeExposed(server, tool);

	#mayBeExposed(server: string, tool: ToolFacts | undefined): boolean {
		const policy = this.#policy;
		if (!policy.hides_unclassified) return true;
		if (tool === undefined) return false;
		if (tool.risk === "read") return true;
		return policy.riskOf(server, tool.name, tool.annotations).from === "given";
	}
}
