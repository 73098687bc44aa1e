import { z } from "zod";

/** What the admin API says about policy: rules, a question about a call, the launch checklist. */

const text = z.string().max(1024);
const texts = z.array(text).max(256);
const decision = z.enum(["allow", "deny", "limit", "ask"]);
const outcome = z.enum(["pass", "allow", "deny", "ask", "limit"]);

export const policy_rule_schema = z.object({
	name: z.string(),
	line: z.int().describe("Line of the configuration."),
	about: z.string().describe("The calls it is about, in words."),
	when: z.string().optional().describe("Its condition; always true where absent."),
	then: outcome,
	else: outcome,
});

export const policy_tool_schema = z.object({
	server: z.string(),
	tool: z.string(),
	risk: z.enum(["read", "reversible", "costly", "visible", "destructive"]),
	from: z
		.enum(["given", "annotations", "name", "unknown"])
		.describe("What the risk class was told from."),
	approval: z.boolean().describe("Whether a person has to agree to each call."),
	scopes: z.array(z.string()),
});

export const policy_schema = z.object({
	profile: z.enum(["private", "public"]),
	default: z.enum(["allow", "deny"]),
	unclassified: z.enum(["allow", "deny"]),
	loops: z.string().optional().describe("When the same call again and again is a loop."),
	rules: z.array(policy_rule_schema),
	tools: z.array(policy_tool_schema).describe("Every tool that is known."),
});

export const policy_test_schema = z.strictObject({
	server: text.describe("Server of the call."),
	tool: text.optional().describe("Tool, by the server's own name."),
	method: text.optional().describe("Method; `tools/call` where `tool` is given."),
	name: text.optional().describe("Prompt name or uri, for other methods."),
	endpoint: text.optional().describe("Address it comes in at; the server's own where absent."),
	arguments: z.record(z.string(), z.unknown()).optional(),
	principal: z
		.strictObject({
			tenant: text.optional(),
			user: text.optional(),
			client: text.optional().describe("What was authenticated, such as `key:laptop`."),
			roles: texts.optional(),
			scopes: texts.optional().describe("Not limited by scopes where absent."),
			claims: z.record(z.string(), z.unknown()).optional(),
		})
		.optional()
		.describe("Who would call; whoever there is without identity where absent."),
});

export const policy_answer_schema = z.object({
	decision,
	message: z.string().optional().describe("What the caller would be told."),
	rule: z.string().optional().describe("The rule, or the check, that decides."),
	listed: z.boolean().describe("Whether lists show it to them."),
	risk: z.string().optional(),
	risk_from: z.string().optional(),
	checks: z.array(z.object({ name: z.string(), decision, message: z.string().optional() })),
	rules: z.array(
		z.object({
			name: z.string(),
			line: z.int(),
			about: z.boolean().describe("Whether it is about this call."),
			when: z.string().optional(),
			holds: z.boolean().optional().describe("Whether its condition is true."),
			outcome,
			note: z.string(),
		}),
	),
});

export const checklist_schema = z.object({
	no_go: z.int().describe("How many no-go signs stand."),
	missing: z.int(),
	rows: z.array(
		z.object({
			id: z.string(),
			server: z.string().optional(),
			title: z.string(),
			status: z.enum(["ok", "missing", "no_go"]),
			evidence: z.string(),
			next: z.string().optional(),
		}),
	),
});

export type PolicyReport = z.infer<typeof policy_schema>;
export type PolicyTest = z.infer<typeof policy_test_schema>;
export type PolicyAnswer = z.infer<typeof policy_answer_schema>;
export type ChecklistReport = z.infer<typeof checklist_schema>;

/** Names of the schemas of policy in the API's document. */
export const policy_components: Readonly<Record<string, z.ZodType>> = {
	Policy: policy_schema,
	PolicyRule: policy_rule_schema,
	PolicyTool: policy_tool_schema,
	PolicyTest: policy_test_schema,
	PolicyAnswer: policy_answer_schema,
	Checklist: checklist_schema,
};
