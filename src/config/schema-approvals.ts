import * as z from "zod";
import { approval_risks, default_approvals } from "./approvals-plan.ts";
import { duration_pattern, formatDuration } from "./units.ts";

/** The keys of moorage.yaml about approvals. Part of the one table that schema.ts is. */

const duration = z.string("duration").regex(duration_pattern, "duration");

/** A receiver of calls that wait. */
const webhook_schema = z.strictObject({
	name: z
		.string()
		.regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
		.describe("What it is called: its decisions stand under `webhook:NAME`. Required."),
	url: z
		.string()
		.describe("Address that calls are posted to: `https`, or on this machine. Required."),
	secret: z.string().describe("What messages are signed with, in both directions. Required."),
	tenant: z.string().min(1).optional().describe("Whose calls it hears of; without it, all."),
	roles: z
		.array(
			z
				.string()
				.min(1)
				.regex(/^(?!admin$)/),
		)
		.max(16)
		.default(["approver"])
		.describe("The roles that it decides with; `admin` is none of them."),
	decides: z
		.boolean()
		.default(false)
		.describe("Whether signed decisions are taken from it, at `/approvals/webhooks/NAME`."),
});

/** `approvals`: which calls need a person's word, whose, and how they wait for it. */
export const approvals_schema = z.strictObject({
	risk: z
		.array(z.enum(approval_risks))
		.default([...default_approvals.risk])
		.describe("Risk classes whose tools need an approval: `[destructive]`."),
	approvers: z
		.array(z.string().min(1))
		.default([...default_approvals.approvers])
		.describe(
			"Roles (`role:auditor`) and people (`acme/bob`) who may decide; without any, whoever has the role `approver` or `admin`.",
		),
	count: z
		.int()
		.min(1)
		.max(10)
		.default(default_approvals.count)
		.describe("How many have to agree."),
	other_than_caller: z
		.boolean()
		.default(default_approvals.other_than_caller)
		.describe("Whether the caller may not be one of them."),
	edit: z
		.boolean()
		.default(default_approvals.edit)
		.describe("Whether who decides may change the arguments."),
	expires: duration
		.default(formatDuration(default_approvals.expires_ms))
		.describe("How long there is time to decide, and then to make the call."),
	wait: duration
		.default(formatDuration(default_approvals.wait_ms))
		.describe(
			"How long a call of any rule waits for a decision before it is answered as pending; clients give up after a minute.",
		),
	webhooks: z
		.array(webhook_schema)
		.max(16)
		.default([])
		.describe("Receivers that are told of calls that wait, such as relays to a chat."),
});
