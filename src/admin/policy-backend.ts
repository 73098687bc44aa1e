import type { Result } from "../lib/result.ts";
import type {
	ChecklistReport,
	PolicyAnswer,
	PolicyReport,
	PolicyTest,
} from "./contracts/policy.ts";
import type { AdminProblem } from "./problem.ts";

/** What the admin API can see of who may do what. */
export interface PolicyBackend {
	policy(): PolicyReport;
	/** @param arguments_json the call's arguments as they were written, where there are any */
	test(
		question: PolicyTest,
		arguments_json: string | undefined,
	): Promise<Result<PolicyAnswer, AdminProblem>>;
	/** @param server only this one; all of them where undefined */
	checklist(server: string | undefined): Promise<Result<ChecklistReport, AdminProblem>>;
}
