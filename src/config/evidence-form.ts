import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import { ranges } from "./defaults.ts";
import { type AuditPlan, type CallsPlan, default_audit } from "./evidence-plan.ts";
import type { Located } from "./located.ts";
import type { Report } from "./report.ts";
import type { audit_schema, calls_schema } from "./schema-evidence.ts";

/** Reads `calls`; sizes out of range go to the report. */
export function readCalls(
	form: z.output<typeof calls_schema>,
	root: Located,
	report: Report,
): CallsPlan {
	const amounts = new Amounts(root, report);
	const path = ["calls", "file", "size"];
	return {
		log_to_file: form.log === "file" || form.log === "both",
		log_to_stdout: form.log === "stdout" || form.log === "both",
		file_bytes_max: amounts.size(form.file.size, ranges.bytes, path),
		files_max: form.file.count,
		history: form.history === "on",
		keep_days: form.keep_days,
		calls_max: form.max,
	};
}

/** Reads `audit`, which may be a mode alone. */
export function readAudit(
	form: z.output<typeof audit_schema>,
	root: Located,
	report: Report,
): AuditPlan {
	if (typeof form === "string") return { ...default_audit, mode: form };
	const amounts = new Amounts(root, report);
	const tenants = Object.entries(form.tenants).map(
		([tenant, { keep_days, classes }]) => [tenant, { keep_days, classes: given(classes) }] as const,
	);
	return {
		mode: form.mode,
		keep_days: form.keep_days,
		classes: given(form.classes),
		tenants: Object.fromEntries(tenants),
		payload_bytes_max: amounts.size(form.payload, ranges.bytes, ["audit", "payload"]),
	};
}

function given(classes: Readonly<Record<string, number | undefined>>): Record<string, number> {
	const days: Record<string, number> = {};
	for (const [risk, count] of Object.entries(classes)) {
		if (count !== undefined) days[risk] = count;
	}
	return days;
}
