import type { z } from "zod";
import type { Result } from "../lib/result.ts";
import type { Caller } from "./caller.ts";
import type {
	audited_call_schema,
	call_line_schema,
	erased_schema,
	evidence_status_schema,
	verification_schema,
} from "./contracts/evidence.ts";
import type { AdminProblem } from "./problem.ts";

export type LoggedCall = z.infer<typeof call_line_schema>;
export type AuditedCallReport = z.infer<typeof audited_call_schema>;
export type VerificationReport = z.infer<typeof verification_schema>;
export type EvidenceStatus = z.infer<typeof evidence_status_schema>;
export type Erased = z.infer<typeof erased_schema>;

/** Which calls are asked for, as the query of `listCalls` was understood. */
export interface CallsWanted {
	readonly since_ms: number | undefined;
	readonly until_ms: number | undefined;
	readonly tenant: string | undefined;
	readonly user: string | undefined;
	readonly client: string | undefined;
	readonly server: string | undefined;
	readonly name: string | undefined;
	readonly method: string | undefined;
	readonly endpoint: string | undefined;
	readonly session: string | undefined;
	readonly trace: string | undefined;
	readonly status: LoggedCall["status"] | "error" | undefined;
	readonly code: string | undefined;
	readonly decision: string | undefined;
	readonly text: string | undefined;
	readonly before: number | undefined;
	readonly limit: number;
}

/** Calls that were found, the latest first. */
export interface CallsFound {
	readonly calls: readonly LoggedCall[];
	readonly next: number | undefined;
	readonly complete: boolean;
}

/** What is known of what has happened. */
export interface EvidenceBackend {
	findCalls(wanted: CallsWanted): Promise<Result<CallsFound, AdminProblem>>;
	call(id: string): Promise<Result<LoggedCall, AdminProblem>>;
	/** What the audit has of a call. That it was read is in the audit when this resolves. */
	payload(id: string, caller: Caller): Promise<Result<AuditedCallReport, AdminProblem>>;
	evidence(): EvidenceStatus;
	verifyAudit(): Promise<Result<VerificationReport, AdminProblem>>;
	eraseAudit(tenant: string, user: string): Promise<Result<Erased, AdminProblem>>;
}

/** What an administrator is about to do, or did. */
export interface AdminAction {
	/** The operation's id: `addServer`. */
	readonly operation: string;
	/** The parts of its path. */
	readonly subject: Readonly<Record<string, string>>;
	readonly caller: Caller;
}

/** Who writes administrative actions down. */
export interface ActionRecorder {
	/**
	 * Before it is done; with what there is now. The problem where it may not be done because it
	 * cannot be written down. The function it gives is called with the status it ended with.
	 */
	begin(action: AdminAction): Promise<Result<(status: number) => Promise<void>, AdminProblem>>;
}
