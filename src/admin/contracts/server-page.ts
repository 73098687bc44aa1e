import { z } from "zod";
import { changes_schema } from "../contract.ts";
import { secret_schema } from "./secrets.ts";
import type { Shape } from "./shape.ts";

/** One server seen from near: what it is given, who may call it, its entry in the file. */

const sentence = z.string();

export const used_value_schema = z.object({
	kind: z
		.enum(["secret", "env", "envfile", "file", "vault", "input", "literal"])
		.describe("Where the value comes from."),
	name: z.string().describe("Of the secret, the variable or the file. Never its value."),
	places: z.array(z.string()).describe("What the server gets it as: `env TOKEN`, ..."),
	present: z
		.enum(["yes", "no", "some", "unknown"])
		.describe("Whether it is there; `some`: for some people or tenants only."),
	note: sentence.optional().describe("What else there is to know, and what to do."),
	values: z.array(secret_schema).describe("Where it is a secret of the vault: all of its name."),
});
export const server_secrets_schema = z.object({
	server: z.string(),
	locked: sentence.optional().describe("Why the vault cannot be opened now, and what to do."),
	values: z.array(used_value_schema),
});

export const access_rule_schema = z.object({
	name: z.string(),
	line: z.int().describe("Line of the configuration."),
	when: z.string().optional().describe("Its condition; always true where absent."),
	then: z.string(),
	else: z.string(),
	looks_at: z.array(z.string()).describe("What its condition speaks of: `principal`, `args`, ..."),
});
export const access_tool_schema = z.object({
	tool: z.string(),
	offered: z.boolean().describe("Whether the server's `tools` let it through at all."),
	risk: z.string(),
	risk_from: z.string(),
	approval: z.boolean().describe("Whether its own settings want a person asked."),
	scopes: z.array(z.string()).describe("Scopes that a token needs."),
	rules: z.array(access_rule_schema).describe("Those that are about it, in their order."),
});
export const access_caller_schema = z.object({
	kind: z.enum(["everybody", "anybody", "person", "key"]),
	name: z.string(),
	roles: z.array(z.string()),
	answer: z
		.enum(["yes", "no", "asks", "depends"])
		.describe("`asks`: once a person agrees; `depends`: on what only a call can tell."),
	because: z.array(sentence),
});
export const server_access_schema = z.object({
	server: z.string(),
	identity: z.boolean().describe("Whether people are told apart."),
	default: z.enum(["allow", "deny"]).describe("What becomes of a call that no rule is about."),
	notes: z.array(sentence).describe("What cannot be told here."),
	tools: z.array(access_tool_schema),
	callers: z.array(access_caller_schema).optional().describe("Of the tool that was asked about."),
});

const entry = z.looseObject({}).describe("The server's entry, as it stands in the file.");
const entry_etag = z.string().max(128).describe("Of the entry as it was read.");

export const server_settings_schema = z.object({
	server: z.string(),
	path: z.string().describe("The file it stands in."),
	entry,
	schema: z.looseObject({}).describe("JSON Schema of such an entry."),
	etag: entry_etag,
	why_text: sentence
		.optional()
		.describe("Why it can be changed in the text of the file only; absent: a form can."),
});
export const settings_draft_schema = z.strictObject({ entry, etag: entry_etag });
export const drafted_settings_schema = z.object({
	text: z.string().describe("The whole file with this entry in it; comments are kept."),
	etag: z.string().describe("Of the file as it is now: for `If-Match` when it is replaced."),
	changes: changes_schema,
});

export type ServerSecrets = Shape<typeof server_secrets_schema>;
export type UsedValue = Shape<typeof used_value_schema>;
export type ServerAccess = Shape<typeof server_access_schema>;
export type AccessTool = Shape<typeof access_tool_schema>;
export type AccessCaller = Shape<typeof access_caller_schema>;
export type ServerSettings = Shape<typeof server_settings_schema>;
export type SettingsDraft = Shape<typeof settings_draft_schema>;
export type DraftedSettings = Shape<typeof drafted_settings_schema>;

/** Names of these schemas in the API's document. */
export const server_page_components: Readonly<Record<string, z.ZodType>> = {
	UsedValue: used_value_schema,
	ServerSecrets: server_secrets_schema,
	AccessRule: access_rule_schema,
	AccessTool: access_tool_schema,
	AccessCaller: access_caller_schema,
	ServerAccess: server_access_schema,
	ServerSettings: server_settings_schema,
	SettingsDraft: settings_draft_schema,
	DraftedSettings: drafted_settings_schema,
};
