import type { PolicyBackend } from "../admin/policy-backend.ts";
import type { Plan } from "../config/plan.ts";
import { placelessProblem } from "../config/problem.ts";
import { fail } from "../lib/result.ts";
import { type ChecklistRow, earlyNoGo } from "../policy/checklist.ts";
import { CurrentPolicy } from "../policy/current-policy.ts";
import { compileRules } from "../policy/rules.ts";
import type { DaemonOptions } from "./options.ts";
import type { StartProblem } from "./start-problem.ts";

type Load = DaemonOptions["load"];

/** Reads a configuration and refuses it where a condition of its rules is wrong. */
export function withCheckedPolicy(load: Load): Load {
	return async (text) => {
		const loaded = await load(text);
		if (!loaded.ok) return loaded;
		const plan = loaded.value;
		const rules = compileRules(plan.policy);
		if (!rules.ok) return fail(rules.problem);
		if (plan.policy.profile === "private") return loaded;
		const signs = earlyNoGo(plan, new CurrentPolicy(plan));
		return signs.length === 0 ? loaded : fail(signs.map((row) => problemOfSign(row, plan)));
	};
}

function problemOfSign({ title, server, evidence, next = "" }: ChecklistRow, plan: Plan) {
	const about = server === undefined ? "" : ` (${server})`;
	const message = `\`profile: public\` is refused: not "${title}"${about}. ${evidence}`;
	return placelessProblem(plan.source.path ?? "moorage.yaml", message, next);
}

/** Why a gateway of the public profile does not start, from what is known of its tools. */
export async function publicProblem(
	plan: Plan,
	policy: PolicyBackend,
): Promise<StartProblem | undefined> {
	if (plan.policy.profile === "private") return undefined;
	const report = await policy.checklist(undefined);
	const rows = report.ok ? report.value.rows : [];
	// What nobody has listed yet is not offered before it is known.
	const signs = rows.filter(({ id, status }) => status === "no_go" && id !== "inventory");
	if (signs.length === 0) return undefined;
	const lines = signs.map(({ server, evidence, next = "" }) =>
		[server === undefined ? "" : `${server}:`, evidence, next].join(" ").trim(),
	);
	return {
		message: `No-go signs stand in the way of \`profile: public\`:\n  ${lines.join("\n  ")}`,
		next: "Correct them, or start with `profile: private` and look at `moorage checklist`.",
	};
}
