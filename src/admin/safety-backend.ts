import type { z } from "zod";
import type { Result } from "../lib/result.ts";
import type { Caller } from "./caller.ts";
import type {
	approval_schema,
	decision_schema,
	kill_request_schema,
	kill_switch_schema,
} from "./contracts/safety.ts";
import type { AdminProblem } from "./problem.ts";

export type KillRequestBody = z.infer<typeof kill_request_schema>;
export type KillSwitchView = z.infer<typeof kill_switch_schema>;
export type ApprovalView = z.infer<typeof approval_schema>;
export type DecisionBody = z.infer<typeof decision_schema>;

/** What the admin API can see and do about what may not run, or not yet. */
export interface SafetyBackend {
	killSwitches(): readonly KillSwitchView[];
	/** In force when it resolves, and stored. */
	kill(request: KillRequestBody, caller: Caller): Promise<Result<KillSwitchView, AdminProblem>>;
	unkill(id: string, caller: Caller): Promise<Result<KillSwitchView, AdminProblem>>;
	/** The last ones that the caller may know of, newest first. */
	approvals(caller: Caller): Promise<readonly ApprovalView[]>;
	/** Undefined where there is none that the caller may know of. */
	approval(id: string, caller: Caller): Promise<ApprovalView | undefined>;
	/**
	 * @param edited_json other arguments to run with: raw JSON of an object
	 */
	decide(
		id: string,
		decision: Omit<DecisionBody, "arguments">,
		edited_json: string | undefined,
		caller: Caller,
	): Promise<Result<ApprovalView, AdminProblem>>;
}
