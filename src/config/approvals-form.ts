import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import type { ApprovalsPlan } from "./approvals-plan.ts";
import type { Located } from "./located.ts";
import type { Report } from "./report.ts";
import type { approvals_schema } from "./schema-approvals.ts";

/** How long there may be time to decide, wherever that is said. */
export const expires_range = [1_000, 30 * 24 * 3_600_000] as const;
const wait_range = [0, 10 * 60_000] as const;

/** Reads `approvals`; what is out of range goes to the report. */
export function readApprovals(
	form: z.output<typeof approvals_schema> | undefined,
	root: Located,
	report: Report,
): ApprovalsPlan | undefined {
	if (form === undefined) return undefined;
	const amounts = new Amounts(root, report);
	const { expires, wait, webhooks: _, ...rest } = form;
	return {
		...rest,
		expires_ms: amounts.duration(expires, expires_range, ["approvals", "expires"]),
		wait_ms: amounts.duration(wait, wait_range, ["approvals", "wait"]),
	};
}
