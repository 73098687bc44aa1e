import type { Caller } from "../admin/caller.ts";
import { type AdminProblem, type AdminProblemCode, problemOf } from "../admin/problem.ts";
import type {
	ApprovalView,
	DecisionBody,
	KillRequestBody,
	KillSwitchView,
	SafetyBackend,
} from "../admin/safety-backend.ts";
import type { Approval } from "../approvals/approval.ts";
import type { Approvals } from "../approvals/approvals.ts";
import { type Decider, whyNotDecide } from "../approvals/deciders.ts";
import type { DecisionProblem } from "../approvals/machine.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { KillSwitches } from "../policy/kill-switches.ts";
import { deciderOf } from "./decider.ts";
import { SwitchDesk } from "./switch-desk.ts";
import { ApprovalWing } from "./wings/approvals.ts";
import { OffSwitchWing } from "./wings/off-switches.ts";
import type { Wings } from "./wings.ts";

/** What the safety of calls is done with. */
export interface SafetyParts {
	readonly kill_switches: KillSwitches;
	readonly approvals: Approvals;
	pageUrl(id: string): string;
}

/** The parts of a house that see to it. */
export function safetyParts(wings: Wings): SafetyParts {
	const approving = wings.of(ApprovalWing);
	return {
		kill_switches: wings.of(OffSwitchWing).kill_switches,
		approvals: approving.store,
		pageUrl: (id) => approving.pageUrl(id),
	};
}

/** Off switches and approvals, for the admin API. */
export class DaemonSafety implements SafetyBackend {
	readonly #parts: SafetyParts;
	readonly #switches: SwitchDesk;

	constructor(parts: SafetyParts) {
		this.#parts = parts;
		this.#switches = new SwitchDesk(parts.kill_switches);
	}

	killSwitches(): readonly KillSwitchView[] {
		return this.#switches.list();
	}

	kill(
		request: KillRequestBody,
		{ principal }: Caller,
	): Promise<Result<KillSwitchView, AdminProblem>> {
		return this.#switches.kill(request, principal.id);
	}

	unkill(id: string): Promise<Result<KillSwitchView, AdminProblem>> {
		return this.#switches.unkill(id);
	}

	async approvals(caller: Caller): Promise<readonly ApprovalView[]> {
		const who = deciderOf(caller);
		const all = await this.#parts.approvals.list(who);
		return all.map((approval) => this.#view(approval, who));
	}

	async approval(id: string, caller: Caller): Promise<ApprovalView | undefined> {
		const who = deciderOf(caller);
		const approval = await this.#parts.approvals.get(id, who);
		return approval && this.#view(approval, who);
	}

	async decide(
		id: string,
		decision: Omit<DecisionBody, "arguments">,
		edited_json: string | undefined,
		caller: Caller,
	): Promise<Result<ApprovalView, AdminProblem>> {
		const by = deciderOf(caller);
		const { verdict, reason, arguments_hash: seen_hash } = decision;
		const decided = await this.#parts.approvals.decide(id, {
			by,
			verdict,
			reason,
			via: "api",
			seen_hash,
			edited: edited_json,
		});
		if (decided.ok) return succeed(this.#view(decided.value, by));
		const { code, message } = decided.problem;
		return fail(problemOf(decision_codes[code], message));
	}

	#view(approval: Approval, who: Decider): ApprovalView {
		return approvalView(approval, who, this.#parts.pageUrl(approval.id));
	}
}

const decision_codes: Readonly<Record<DecisionProblem["code"], AdminProblemCode>> = {
	unknown: "approval_unknown",
	not_pending: "approval_over",
	not_allowed: "forbidden",
	arguments_changed: "edited_meanwhile",
	invalid: "invalid_request",
};

function approvalView(approval: Approval, who: Decider, url: string): ApprovalView {
	const { demand, votes, edited_by } = approval;
	const is_pending = approval.state === "pending";
	return {
		id: approval.id,
		state: approval.state,
		principal: approval.principal,
		...given("made_by", approval.made_by),
		...given("client", approval.client),
		client_name: approval.client_name,
		server: approval.server,
		tool: approval.tool,
		...given("risk", approval.risk),
		...given("rule", approval.rule),
		arguments: JSON.parse(approval.arguments) as unknown,
		arguments_json: approval.arguments,
		arguments_hash: approval.arguments_hash,
		...given("edited_by", edited_by),
		...(edited_by === undefined ? {} : { asked: JSON.parse(approval.asked) as unknown }),
		approvers: [...demand.approvers],
		...given(
			"also_among",
			demand.also_among?.map((names) => [...names]),
		),
		needed: demand.count,
		other_than_caller: demand.other_than_caller,
		may_edit: demand.edit,
		may_decide: is_pending && whyNotDecide(approval, who) === undefined,
		votes: votes.map(({ arguments_hash, reason, person, ...vote }) => ({
			...vote,
			...given("person", person),
			...given("reason", reason),
			counts: arguments_hash === approval.arguments_hash,
		})),
		created_at_ms: approval.created_at_ms,
		expires_at_ms: approval.expires_at_ms,
		...given("decided_at_ms", approval.decided_at_ms),
		...given("ended_at_ms", approval.ended_at_ms),
		...given("after", approval.after),
		url,
	};
}

function given<Key extends string, Value>(
	key: Key,
	value: Value | undefined,
): { [Name in Key]?: Value } {
	return (value === undefined ? {} : { [key]: value }) as { [Name in Key]?: Value };
}
