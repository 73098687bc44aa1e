/** What a tool can do to the world, from harmless to irreversible. */
export const approval_risks = ["read", "reversible", "costly", "visible", "destructive"] as const;

/** When people are asked, who may decide, and how calls wait for them. */
export interface ApprovalsPlan {
	/** Risk classes whose tools need an approval. */
	readonly risk: readonly (typeof approval_risks)[number][];
	/** Roles (`role:approver`) and people (`acme/bob`) who may decide; empty: approvers, admins. */
	readonly approvers: readonly string[];
	readonly count: number;
	readonly other_than_caller: boolean;
	readonly edit: boolean;
	readonly expires_ms: number;
	/** How long a call waits before it is answered as pending. */
	readonly wait_ms: number;
}

/** What holds where the configuration says nothing. */
export const default_approvals: ApprovalsPlan = Object.freeze({
	risk: [],
	approvers: [],
	count: 1,
	other_than_caller: false,
	edit: false,
	expires_ms: 60 * 60_000,
	// Below the time after which the SDKs' clients give up: 60 s.
	wait_ms: 45_000,
});
