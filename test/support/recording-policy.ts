import type {
	ChecklistReport,
	PolicyAnswer,
	PolicyReport,
	PolicyTest,
} from "../../src/admin/contracts/policy.ts";
import type { PolicyBackend } from "../../src/admin/policy-backend.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import type { AdminScenario } from "./admin-scenarios.ts";

/** Policy that remembers what it was asked; it knows one server, `time`. */
export class RecordingPolicy implements PolicyBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	policy(): PolicyReport {
		this.#calls.push("policy()");
		return {
			profile: "private",
			default: "allow",
			unclassified: "deny",
			rules: [
				{
					name: "rule 1",
					line: 4,
					about: "tools now",
					when: "args.a == 1",
					then: "deny",
					else: "pass",
				},
			],
			tools: [
				{ server: "time", tool: "now", risk: "read", from: "name", approval: false, scopes: [] },
			],
		};
	}

	async test(question: PolicyTest): Promise<Result<PolicyAnswer, AdminProblem>> {
		this.#calls.push(`testPolicy(${JSON.stringify(question)})`);
		if (question.server !== "time") return fail(problemOf("server_unknown", "No such server."));
		return succeed({
			decision: "deny",
			message: 'The rule "rule 1" does not allow this call.',
			rule: "rule 1",
			listed: true,
			risk: "read",
			risk_from: "name",
			checks: [{ name: "rules", decision: "deny", message: "It does not." }],
			rules: [
				{
					name: "rule 1",
					line: 4,
					about: true,
					when: "args.a == 1",
					holds: true,
					outcome: "deny",
					note: "Its condition is true. It denies the call.",
				},
			],
		});
	}

	async checklist(server: string | undefined): Promise<Result<ChecklistReport, AdminProblem>> {
		this.#calls.push(`checklist(${server ?? ""})`);
		if (server === "no") return fail(problemOf("server_unknown", "No such server."));
		return succeed({
			no_go: 1,
			missing: 0,
			rows: [
				{
					id: "identity",
					title: "Every user, client and tenant is told apart",
					status: "no_go",
					evidence: "Everyone is one person.",
					next: "Add `identity`.",
				},
			],
		});
	}
}

const question = JSON.stringify({ server: "time", tool: "now", arguments: { a: 1 } });
const elsewhere = JSON.stringify({ server: "no", tool: "now" });

/** Every operation about who may do what. */
export const policy_scenarios: readonly AdminScenario[] = [
	{ operation: "getPolicy", path: "/api/policy", status: 200, calls: ["policy()"] },
	{
		operation: "testPolicy",
		path: "/api/policy/test",
		body: question,
		status: 200,
		calls: [`testPolicy(${question})`],
	},
	{
		operation: "testPolicy",
		path: "/api/policy/test",
		body: elsewhere,
		status: 404,
		calls: [`testPolicy(${elsewhere})`],
	},
	{ operation: "testPolicy", path: "/api/policy/test", body: "{}", status: 400, calls: [] },
	{ operation: "getChecklist", path: "/api/checklist", status: 200, calls: ["checklist()"] },
	{
		operation: "getChecklist",
		path: "/api/checklist?server=no",
		status: 404,
		calls: ["checklist(no)"],
	},
];
