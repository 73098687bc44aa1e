import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import { expires_range } from "./approvals-form.ts";
import { ranges } from "./defaults.ts";
import { type Located, type LocatedScalar, nodeAt, offsetOf } from "./located.ts";
import {
	type ApprovalPlan,
	default_approval,
	default_server_policy,
	type LimitPlan,
	type PolicyPlan,
	type RuleOutcome,
	type RulePlace,
	type RulePlan,
	type ServerPolicyPlan,
	type ToolRulePlan,
} from "./policy-plan.ts";
import type { Report } from "./report.ts";
import type { MoorageForm } from "./schema.ts";
import { type policy_schema, rate_pattern, type tool_rule_schema } from "./schema-policy.ts";

type PolicyForm = z.output<typeof policy_schema>;
type RuleForm = Extract<PolicyForm, readonly unknown[]>[number];
type ToolForm = z.output<typeof tool_rule_schema>;
/** `tools` of a server: what holds for a tool stands beside which are offered. */
export type ToolsMapForm = Readonly<Record<string, unknown>>;
type ApprovalForm = NonNullable<RuleForm["ask"]>;
type Path = readonly (string | number)[];

/** Rules of one configuration. */
const rules_max = 20_000;
const unit_ms: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads who may do what; rules that say nothing or contradict themselves go to the report.
 * @param approval what holds of an approval as far as a tool or a rule does not say
 */
export function readPolicy(
	form: MoorageForm,
	root: Located,
	report: Report,
	approval: ApprovalPlan = default_approval,
): PolicyPlan {
	return new PolicyReader(root, report, approval).read(form);
}

/**
 * Reads what is said of a server's tools where the file says nothing of approvals in general.
 * @param path where `tools` stands in the file
 */
export function readToolRules(
	tools: ToolsMapForm,
	path: readonly string[],
	root: Located,
	report: Report,
): readonly ToolRulePlan[] {
	return new PolicyReader(root, report, default_approval).tools(tools, path);
}

class PolicyReader {
	readonly #root: Located;
	readonly #report: Report;
	readonly #amounts: Amounts;
	readonly #asked_by_default: ApprovalPlan;

	constructor(root: Located, report: Report, asked_by_default: ApprovalPlan) {
		this.#root = root;
		this.#report = report;
		this.#asked_by_default = asked_by_default;
		this.#amounts = new Amounts(root, report);
	}

	read(form: MoorageForm): PolicyPlan {
		const { policy } = form;
		const is_list = Array.isArray(policy);
		const map = is_list ? undefined : policy;
		const rules = is_list ? policy : (map?.rules ?? []);
		const at: Path = is_list ? ["policy"] : ["policy", "rules"];
		if (rules.length > rules_max) {
			this.#problem(at, `There are more than ${rules_max} rules.`, "Join some of them.");
		}
		const loops = map?.loops;
		return {
			profile: form.profile,
			default: map?.default ?? "allow",
			unclassified: map?.unclassified ?? "deny",
			loops:
				loops === undefined || loops === "off"
					? undefined
					: {
							calls: loops.calls,
							within_ms: this.#duration(loops.within, ["policy", "loops", "within"]),
						},
			rules: this.#rules(rules, at),
			servers: this.#servers(form),
		};
	}

	#rules(rules: readonly RuleForm[], at: Path): RulePlan[] {
		const names = new Set<string>();
		return rules.map((rule, index) => {
			const name = rule.name ?? `rule ${index + 1}`;
			if (names.has(name)) {
				const text = `Another rule is called \`${name}\` already.`;
				this.#problem([...at, index], text, "Give each rule its own name.");
			}
			names.add(name);
			return this.#rule(rule, name, [...at, index]);
		});
	}

	#rule(rule: RuleForm, name: string, path: Path): RulePlan {
		const { then, otherwise } = this.#outcomes(rule, path);
		const uses = (outcome: RuleOutcome) => then === outcome || otherwise === outcome;
		if (uses("limit") && rule.limit === undefined) {
			this.#problem(path, "The rule limits, but does not say to what.", "Add `limit`.");
		}
		const asks = uses("ask");
		return {
			name,
			tools: listOf(rule.tool),
			servers: listOf(rule.server),
			endpoints: listOf(rule.endpoint),
			methods: rule.method === undefined ? undefined : listOf(rule.method),
			risks: listOf(rule.risk),
			when: rule.when,
			when_place: rule.when === undefined ? undefined : this.#whenPlace([...path, "when"]),
			then,
			otherwise,
			message: rule.message,
			limit: rule.limit === undefined ? undefined : this.#limit(rule.limit, [...path, "limit"]),
			approval: asks ? this.#approval(rule.ask, [...path, "ask"]) : undefined,
			place: this.#place(path),
		};
	}

	/** What is left out is `pass`; `limit` and `ask` say their own outcome. */
	#outcomes(rule: RuleForm, path: Path): { then: RuleOutcome; otherwise: RuleOutcome } {
		const implied =
			rule.limit === undefined ? (rule.ask === undefined ? undefined : "ask") : "limit";
		if (rule.limit !== undefined && rule.ask !== undefined) {
			this.#problem(path, "The rule both limits and asks.", "Make it two rules.");
		}
		if (rule.when === undefined && rule.else !== undefined) {
			this.#problem(path, "The rule has `else`, but no condition.", "Add `when`, or use `then`.");
		}
		const otherwise = rule.else ?? "pass";
		const then = rule.then ?? (implied === otherwise ? "pass" : (implied ?? "pass"));
		if (then === "pass" && otherwise === "pass") {
			this.#problem(path, "The rule does not say what is to become of a call.", "Add `then`.");
		}
		if (implied !== undefined && then !== implied && otherwise !== implied) {
			const text = `The rule has \`${implied}\`, but neither \`then\` nor \`else\` is \`${implied}\`.`;
			this.#problem(path, text, `Remove \`${implied}\`, or write \`then: ${implied}\`.`);
		}
		return { then, otherwise };
	}

	#limit(form: NonNullable<RuleForm["limit"]>, path: Path): LimitPlan {
		if (form.calls === undefined && form.at_once === undefined) {
			this.#problem(path, "The limit names no number.", "Add `calls` or `at_once`.");
		}
		if (form.calls === undefined && form.burst !== undefined) {
			this.#problem(path, "`burst` has no meaning without `calls`.", "Add `calls`.");
		}
		const rate = form.calls === undefined ? undefined : this.#rate(form.calls, [...path, "calls"]);
		return {
			rate,
			burst: form.burst ?? rate?.calls ?? 1,
			at_once: form.at_once,
			per: [...new Set(listOf(form.per))],
		};
	}

	#rate(text: string, path: Path): { calls: number; per_ms: number } {
		const [, calls = "1", amount = "", unit = "s"] = rate_pattern.exec(text) ?? [];
		const per_ms = (amount === "" ? 1 : Number(amount)) * (unit_ms[unit] ?? 1000);
		const count = Number(calls);
		if (count < 1 || per_ms < 1 || per_ms > ranges.duration_ms[1]) {
			this.#problem(path, "This rate is not possible.", "Write for example `60/m`.");
			return { calls: 1, per_ms: 1000 };
		}
		return { calls: count, per_ms };
	}

	#approval(form: ApprovalForm | undefined, path: Path): ApprovalPlan {
		const other = this.#asked_by_default;
		return {
			approvers: form?.approvers ?? other.approvers,
			count: form?.count ?? other.count,
			other_than_caller: form?.other_than_caller ?? other.other_than_caller,
			edit: form?.edit ?? other.edit,
			expires_ms:
				form?.expires === undefined
					? other.expires_ms
					: this.#amounts.duration(form.expires, expires_range, [...path.map(String), "expires"]),
		};
	}

	#servers(form: MoorageForm): Record<string, ServerPolicyPlan> {
		const servers: Record<string, ServerPolicyPlan> = {};
		for (const [name, server] of Object.entries(form.servers)) {
			const settings = Array.isArray(server.tools) ? {} : server.tools;
			const tools = this.tools(settings, ["servers", name, "tools"]);
			const { arguments: mode, reviewed } = server;
			const is_plain = mode === default_server_policy.arguments && reviewed === undefined;
			if (tools.length === 0 && is_plain) continue;
			servers[name] = { tools, arguments: mode, reviewed };
		}
		return servers;
	}

	tools(settings: ToolsMapForm, path: Path): ToolRulePlan[] {
		return Object.entries(settings).flatMap(([pattern, value]) => {
			if (pattern === "allow" || pattern === "deny") return [];
			return [this.#tool(pattern, value as ToolForm, [...path, pattern])];
		});
	}

	#tool(pattern: string, form: ToolForm, path: Path): ToolRulePlan {
		const { risk, scopes, approval } = form;
		if (approval === undefined) return { pattern, risk, scopes, approval };
		const given = approval === "required" ? undefined : approval;
		return { pattern, risk, scopes, approval: this.#approval(given, [...path, "approval"]) };
	}

	#whenPlace(path: Path): RulePlan["when_place"] {
		const node = nodeAt(this.#root, path) as LocatedScalar | undefined;
		const exact = node?.exact;
		const offset = exact ?? offsetOf(this.#root, path);
		return { ...this.#placeAt(offset), exact: exact !== undefined };
	}

	#place(path: Path): RulePlace {
		return this.#placeAt(offsetOf(this.#root, path));
	}

	#placeAt(offset: number): RulePlace {
		const { source } = this.#report;
		return { file: source.name, ...source.position(offset) };
	}

	#duration(text: string, path: Path): number {
		return this.#amounts.duration(text, ranges.duration_ms, path.map(String));
	}

	#problem(path: Path, message: string, next: string): void {
		this.#report.problem(offsetOf(this.#root, path), message, next);
	}
}

function listOf<Item extends string>(value: Item | readonly Item[] | undefined): readonly Item[] {
	if (value === undefined) return [];
	return typeof value === "string" ? [value] : value;
}
