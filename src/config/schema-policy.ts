import * as z from "zod";
import { scope_word } from "./schema-identity.ts";
import { duration_pattern } from "./units.ts";

/** The keys of moorage.yaml that say who may do what. Part of the one table that schema.ts is. */

const duration = z.string("duration").regex(duration_pattern, "duration");
const count = z.int().min(1).max(1_000_000);
const patterns = z.array(z.string().min(1));
const one_or_more = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const risk = z.enum(["read", "reversible", "costly", "visible", "destructive"]);
const limit_part = z.enum(["tenant", "user", "client", "endpoint", "server", "tool"]);
const outcome = z.enum(["allow", "deny", "ask", "limit"]);

/** `60/m`, `10/s`, `100/15m`. */
export const rate_pattern = /^(\d{1,9})\/(\d{0,6})(ms|s|m|h)$/;

/** What is left out here holds as `approvals` says it, so nothing has a default of its own. */
const approval_map = z.strictObject({
	approvers: patterns
		.optional()
		.describe(
			"Roles (`role:auditor`) and people (`acme/bob`) who may decide; `[]`: whoever has the role `approver` or `admin`. Where not given, as under `approvals`.",
		),
	count: z
		.int()
		.min(1)
		.max(10)
		.optional()
		.describe("How many have to agree; where not given, as under `approvals`."),
	other_than_caller: z
		.boolean()
		.optional()
		.describe("Whether the caller may not be one of them; where not given, as under `approvals`."),
	edit: z
		.boolean()
		.optional()
		.describe(
			"Whether who decides may change the arguments; where not given, as under `approvals`.",
		),
	expires: duration
		.optional()
		.describe("How long there is time to decide; where not given, as under `approvals`."),
});

const limit_schema = z.strictObject({
	calls: z
		.string("rate")
		.regex(rate_pattern, "rate")
		.optional()
		.describe("Calls in a time: `60/m`, `10/s`, `100/15m`."),
	burst: count
		.optional()
		.describe("Calls that may come at once; where not given, as many as `calls` names."),
	at_once: count.optional().describe("Calls in flight at one time."),
	per: z
		.union([limit_part, z.array(limit_part)])
		.default(["user"])
		.describe("Counted for each of these apart; `[]` counts all calls together."),
});

const rule_schema = z.strictObject({
	name: z
		.string()
		.min(1)
		.max(64)
		.optional()
		.describe("What messages, logs and `moorage policy` call it; `rule 3` where not given."),
	tool: one_or_more
		.optional()
		.describe(
			"Tools it is about: patterns over `server__tool`, or over a tool's own name where there is no `__` in them.",
		),
	server: one_or_more.optional().describe("Servers it is about: patterns over their names."),
	endpoint: one_or_more.optional().describe("Addresses it is about: patterns over their names."),
	method: one_or_more
		.optional()
		.describe(
			"Methods it is about. Where not given, all; or `tools/call`, where the rule speaks of tools, their risk or their arguments.",
		),
	risk: z
		.union([risk, z.array(risk).min(1)])
		.optional()
		.describe("Risk classes of the tools it is about."),
	when: z
		.string()
		.min(1)
		.max(4096)
		.optional()
		.describe("A condition in CEL. What it needs and is not there denies the call."),
	then: outcome.optional().describe("What becomes of calls for which the condition is true."),
	else: outcome.optional().describe("What becomes of calls for which it is false."),
	message: z.string().min(1).max(500).optional().describe("What a refused caller is told."),
	limit: limit_schema.optional().describe("How many calls there may be; means `then: limit`."),
	ask: approval_map.optional().describe("Who has to agree; means `then: ask`."),
});

const policy_map = z.strictObject({
	default: z
		.enum(["allow", "deny"])
		.default("allow")
		.describe("What becomes of a call that no rule allows or denies."),
	unclassified: z
		.enum(["allow", "deny"])
		.default("deny")
		.describe(
			"Whether tools that may change something, and whose `risk` is not given, are offered where Moorage listens beyond loopback.",
		),
	loops: z
		.union([
			z.literal("off"),
			z.strictObject({
				calls: z.int().min(2).max(10_000).default(20).describe("So many of the same call."),
				within: duration.default("1m").describe("In so long a time."),
			}),
		])
		.default("off")
		.describe("When one caller's same call with the same arguments is taken for a loop."),
	rules: z.array(rule_schema).default([]).describe("The rules, in order."),
});

/** `policy` of moorage.yaml. */
export const policy_schema = z.union([z.array(rule_schema), policy_map]);

/** What is said of a tool, under its name or a pattern in a server's `tools`. */
export const tool_rule_schema = z.strictObject({
	risk: risk
		.optional()
		.describe(
			"What it can do to the world; found from its annotations and its name where not given.",
		),
	scopes: z.array(scope_word).default([]).describe("Scopes a caller's token has to have."),
	approval: z
		.union([z.literal("required"), approval_map])
		.optional()
		.describe(
			"That a person has to agree to each call, and who; `required`: as under `approvals`.",
		),
});

/** How a server's arguments are held against its schemas. */
export const arguments_schema = z.enum(["check", "strict", "off"]);

/** `profile` of moorage.yaml. */
export const profile_schema = z.enum(["private", "public"]);
