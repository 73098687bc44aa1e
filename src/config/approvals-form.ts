import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import type { ApprovalsPlan } from "./approvals-plan.ts";
import { type Located, offsetOf } from "./located.ts";
import type { Report } from "./report.ts";
import type { approvals_schema } from "./schema-approvals.ts";

const expires_range = [1_000, 30 * 24 * 3_600_000] as const;
const wait_range = [0, 10 * 60_000] as const;

/** Reads `approvals`; what is out of range goes to the report. */
export function readApprovals(
	form: z.output<typeof approvals_schema> | undefined,
	root: Located,
	report: Report,
): ApprovalsPlan | undefined {
	if (form === undefined) return undefined;
	const amounts = new Amounts(root, report);
	const { expires, wait, webhook, ...rest } = form;
	if (webhook !== undefined && !isHttp(webhook.url)) {
		report.problem(
			offsetOf(root, ["approvals", "webhook", "url"]),
			"`approvals.webhook.url` must be an address that begins with https:// or http://.",
			"Write the whole address, such as `https://chat.example.com/hooks/approvals`.",
		);
	}
	return {
		...rest,
		expires_ms: amounts.duration(expires, expires_range, ["approvals", "expires"]),
		wait_ms: amounts.duration(wait, wait_range, ["approvals", "wait"]),
		webhook,
	};
}

function isHttp(text: string): boolean {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	return url?.protocol === "https:" || url?.protocol === "http:";
}
