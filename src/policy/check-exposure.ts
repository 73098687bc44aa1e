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
import { hasHumanPath, isGrave } from "./human-path.ts";

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
		if (this.#isClassified(server, tool)) return undecided(server, name ?? "", this.name);
		const message =
			`The tool "${name ?? ""}" of "${server}" may change something and has no risk class, so it ` +
			`is not offered beyond loopback. Whoever runs this gateway can give it one under ` +
			`\`servers.${server}.tools\`.`;
		return { kind: "deny", code: "policy_denied", message, rule: this.name };
	}

	/** Undefined where nothing is kept out of a list. */
	get mayList(): ((who: Principal, item: Listed) => boolean) | undefined {
		const { hides_unclassified, plan } = this.#policy;
		return hides_unclassified || plan.profile === "public" ? this.#mayList : undefined;
	}

	readonly #mayList = (_: Principal, { kind, server, tool }: Listed): boolean =>
		kind !== "tool" || this.#mayBeExposed(server, tool);

	#mayBeExposed(server: string, tool: ToolFacts | undefined): boolean {
		return this.#isClassified(server, tool) && this.#isDecided(server, tool);
	}

	/** In the public profile, what sends, spends or destroys is not offered to be called unasked. */
	#isDecided(server: string, tool: ToolFacts | undefined): boolean {
		const policy = this.#policy;
		if (policy.plan.profile === "private") return true;
		if (tool === undefined) return false;
		return !isGrave(tool.risk) || hasHumanPath(server, tool.name, tool.risk, policy);
	}

	#isClassified(server: string, tool: ToolFacts | undefined): boolean {
		const policy = this.#policy;
		if (!policy.hides_unclassified) return true;
		if (tool === undefined) return false;
		if (tool.risk === "read") return true;
		return policy.riskOf(server, tool.name, tool.annotations).from === "given";
	}
}

function undecided(server: string, tool: string, rule: string): Verdict {
	const message =
		`The tool "${tool}" of "${server}" sends, spends or destroys, and nobody would be asked, so ` +
		"it is not offered in the public profile. Whoever runs this gateway can set " +
		"`approval: required` on it, or write a rule about it.";
	return { kind: "deny", code: "policy_denied", message, rule };
}
