import { z } from "zod";

/** Off switches and approvals: the part of the contract about what may not run, or not yet. */

const at_ms_schema = z.int().nonnegative();

export const kill_kind_schema = z.enum([
	"tool",
	"server",
	"client",
	"user",
	"tenant",
	"writes",
	"all",
]);

export const kill_request_schema = z.strictObject({
	kind: kill_kind_schema,
	name: z
		.string()
		.max(512)
		.optional()
		.describe("SERVER__TOOL, a server, a client such as `key:laptop`, TENANT/USER, a tenant."),
	reason: z.string().min(1).max(1000).describe("Told to whoever is refused."),
	ends_at_ms: at_ms_schema.optional().describe("When it lifts itself; never when absent."),
});

export const kill_switch_schema = z.object({
	id: z.string().describe("The target in one text, such as `server:github`."),
	kind: kill_kind_schema,
	name: z.string().optional(),
	reason: z.string(),
	set_by: z.string().describe("Id of a principal."),
	set_at_ms: at_ms_schema,
	ends_at_ms: at_ms_schema.optional(),
});

export const kill_switches_schema = z.object({ kill_switches: z.array(kill_switch_schema) });

export const approval_state_schema = z.enum([
	"pending",
	"approved",
	"running",
	"done",
	"unknown",
	"denied",
	"expired",
]);

export const vote_schema = z.object({
	approver: z.string(),
	person: z.string().optional().describe("Who decided, as a webhook says."),
	verdict: z.enum(["approve", "deny"]),
	reason: z.string().optional(),
	via: z.enum(["page", "api", "webhook", "client"]),
	at_ms: at_ms_schema,
	counts: z.boolean().describe("False where it was for other arguments than these."),
});

export const approval_schema = z.object({
	id: z.string(),
	state: approval_state_schema,
	principal: z.string().describe("Who calls."),
	made_by: z
		.string()
		.optional()
		.describe("Who really makes the call, where that is an admin in this person's name."),
	client: z.string().optional().describe("What was authenticated in the caller's name."),
	client_name: z.string().describe("What the caller's client calls itself."),
	server: z.string(),
	tool: z.string(),
	risk: z.string().optional(),
	rule: z.string().optional().describe("What wants a person asked."),
	arguments: z.unknown().describe("What the tool is to be called with: exactly that runs."),
	arguments_json: z.string().describe("The same as the raw JSON that runs, to the last digit."),
	arguments_hash: z.string().describe("Send it with a decision: it then counts for these only."),
	edited_by: z.string().optional(),
	asked: z.unknown().optional().describe("What the caller sent, where somebody changed it."),
	approvers: z.array(z.string()).describe("Who may decide; empty: approvers and admins."),
	also_among: z
		.array(z.array(z.string()))
		.optional()
		.describe("Where several demands hold: whoever decides is among each of these lists too."),
	needed: z.int().min(1).describe("How many have to agree."),
	other_than_caller: z.boolean(),
	may_edit: z.boolean(),
	may_decide: z.boolean().describe("Whether whoever asks may decide now."),
	votes: z.array(vote_schema),
	created_at_ms: at_ms_schema,
	expires_at_ms: at_ms_schema,
	decided_at_ms: at_ms_schema.optional(),
	ended_at_ms: at_ms_schema.optional(),
	after: z
		.string()
		.optional()
		.describe("The same call before it, which may have been executed: nobody knows."),
	url: z.string().describe("The page on which people decide."),
});

export const approvals_schema = z.object({ approvals: z.array(approval_schema) });

export const decision_schema = z.strictObject({
	verdict: z.enum(["approve", "deny"]),
	reason: z.string().max(1000).optional(),
	arguments_hash: z
		.string()
		.max(64)
		.optional()
		.describe(
			"Of the arguments that were looked at; with others the decision is refused. Without it, who approves agrees to those that the caller sent.",
		),
	arguments: z
		.record(z.string(), z.unknown())
		.optional()
		.describe("Other arguments to run with, where the demand allows that."),
});
