import { isLoopback } from "../config/listen.ts";
import type { Plan } from "../config/plan.ts";
import {
	default_server_policy,
	type PolicyPlan,
	type ServerPolicyPlan,
} from "../config/policy-plan.ts";
import { assert } from "../lib/assert.ts";
import type { RiskClass } from "../protocol/risk.ts";
import type { CheckedCall, Listed } from "./check.ts";
import { Foregone } from "./foregone.ts";
import { type Risk, riskOf } from "./risk.ts";
import { compileRules, RuleBook } from "./rules.ts";

/** Finds the risk class of a tool. Another function takes its place with the configuration. */
export type FindRisk = (
	server: string,
	tool: string,
	annotations: Readonly<Record<string, unknown>>,
) => RiskClass;

/** What is in force of a configuration's policy; exchanged as one when it is read again. */
interface InForce {
	readonly plan: PolicyPlan;
	readonly book: RuleBook;
	readonly foregone: Foregone;
	/** Whether others than this machine may connect. */
	readonly is_exposed: boolean;
	readonly findRisk: FindRisk;
}

/** The policy that is in force now. */
export class CurrentPolicy {
	readonly #originOf: (server: string) => string;
	#now: InForce;

	/**
	 * @param plan a plan whose rules have been checked
	 * @param originOf the server that one is a copy of, for the rules hold for copies too
	 */
	constructor(plan: Plan, originOf: (server: string) => string = (server) => server) {
		this.#originOf = originOf;
		this.#now = this.#inForce(plan);
	}

	/** Another plan, checked, is in force from now on. */
	use(plan: Plan): void {
		this.#now = this.#inForce(plan);
	}

	get plan(): PolicyPlan {
		return this.#now.plan;
	}

	get book(): RuleBook {
		return this.#now.book;
	}

	/** What its rules say of calls whatever their arguments are. */
	get foregone(): Foregone {
		return this.#now.foregone;
	}

	/** Whether tools that may change something are only offered with a risk class given. */
	get hides_unclassified(): boolean {
		const { is_exposed, plan } = this.#now;
		return is_exposed && plan.unclassified === "deny";
	}

	get findRisk(): FindRisk {
		return this.#now.findRisk;
	}

	/** What is said of a server's tools and arguments. */
	serverPolicy(server: string): ServerPolicyPlan {
		const { servers } = this.#now.plan;
		const origin = this.#originOf(server);
		return (Object.hasOwn(servers, origin) ? servers[origin] : undefined) ?? default_server_policy;
	}

	/** A tool's risk class, and what it was told from. */
	riskOf(server: string, tool: string, annotations: Readonly<Record<string, unknown>>): Risk {
		return riskOf(tool, annotations, this.serverPolicy(server).tools);
	}

	/** A call as rules see it: that of a copy is one of its original. */
	readonly seen = (call: CheckedCall): CheckedCall => {
		const server = this.#originOf(call.server);
		if (server === call.server) return call;
		return {
			...call,
			server,
			args: () => call.args(),
			get arguments_raw() {
				return call.arguments_raw;
			},
		};
	};

	/** The same of something that a list may show. */
	readonly seenListed = (item: Listed): Listed => {
		const server = this.#originOf(item.server);
		return server === item.server ? item : { ...item, server };
	};

	#inForce(plan: Plan): InForce {
		const rules = compileRules(plan.policy);
		assert(rules.ok, "a policy is checked before it is used");
		const book = new RuleBook(rules.value);
		return {
			plan: plan.policy,
			book,
			foregone: new Foregone(book),
			is_exposed: !isLoopback(plan.listen.host) || plan.front.public_url !== undefined,
			findRisk: (server, tool, annotations) => this.riskOf(server, tool, annotations).risk,
		};
	}
}
