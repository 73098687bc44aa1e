import { z } from "zod";

/** Names, ages and use of secrets: the part of the contract about the vault. Never values. */

const at_ms = z.int().describe("Milliseconds since the epoch.");
const name = z.string().min(1).max(128).describe("Name of the secret: `${secret:NAME}`.");
const tenant = z.string().max(64).describe("Whose tenant it is for; empty: for all.");
const user = z.string().max(64).describe("The person of the tenant it is for; empty: for all.");

export const secret_schema = z.object({
	name,
	tenant,
	user,
	created_at_ms: at_ms,
	changed_at_ms: at_ms.describe(
		"When its value was stored last; in quotes, for `If-Match` when another takes its place.",
	),
	used_at_ms: at_ms.optional().describe("When a server was given it last."),
	used_by: z.string().optional().describe("That server."),
});

export const secrets_schema = z.object({
	secrets: z.array(secret_schema),
	locked: z
		.string()
		.optional()
		.describe("Why no value can be given out or stored now: a sentence, and what to do."),
});

export const set_secret_schema = z.strictObject({
	value: z.string().describe("The value. It is shown nowhere again."),
	tenant: tenant.optional(),
	user: user.optional(),
});

export const changed_secret_schema = z.object({ name, tenant, user });

export const rotate_master_schema = z.strictObject({
	key: z
		.string()
		.max(256)
		.optional()
		.describe("The new master key, where Moorage does not keep it itself: base64 or hex."),
});
export const rotated_master_schema = z.object({
	master_key_id: z.string().describe("Tells master keys apart; says nothing of them."),
});

export const secret_finding_schema = z.object({
	kind: z
		.enum(["locked", "damaged", "missing", "old", "unused", "shared", "broad", "plain", "argument"])
		.describe("What is the matter."),
	secret: z.string().optional(),
	server: z.string().optional(),
	message: z.string(),
	next: z.string().describe("What to do about it."),
});
export const secret_findings_schema = z.object({ findings: z.array(secret_finding_schema) });

export type SecretList = z.infer<typeof secrets_schema>;
export type ChangedSecret = z.infer<typeof changed_secret_schema>;
export type RotatedMaster = z.infer<typeof rotated_master_schema>;
export type SecretFinding = z.infer<typeof secret_finding_schema>;
