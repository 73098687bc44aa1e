import { type ApprovalPlan, default_approval } from "./policy-plan.ts";

/** What a tool can do to the world, from harmless to irreversible. */
export const approval_risks = ["read", "reversible", "costly", "visible", "destructive"] as const;

/** When people are asked, who may decide, and how calls wait for them. */
export interface ApprovalsPlan extends ApprovalPlan {
	/** Risk classes whose tools need an approval. */
	readonly risk: readonly (typeof approval_risks)[number][];
	/** How long a call waits before it is answered as pending. */
	readonly wait_ms: number;
}

/** What holds where the configuration says nothing. */
export const default_approvals: ApprovalsPlan = Object.freeze({
	...default_approval,
	risk: [],
	// Below the time after which the SDKs' clients give up: 60 s.
	wait_ms: 45_000,
});
