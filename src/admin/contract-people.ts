import { z } from "zod";
import type { Shape } from "./contracts/shape.ts";
import { ended_grants_schema } from "./contracts/upstream-grants.ts";

/** People, keys, OAuth clients and what they were given: the part of `/api` about who may call. */

const at_ms_schema = z.int().describe("Milliseconds since the epoch.");
const part_schema = z.string().min(1).max(64);
const labels_schema = z.array(z.string().min(1).max(128)).max(64);
const next_schema = z
	.string()
	.optional()
	.describe("The `cursor` of the next page; absent on the last.");
const password_schema = z.string().min(1).max(1024).describe("Kept as an Argon2id hash only.");

export const user_schema = z.object({
	id: z.string().describe("`tenant/user`, as it stands in logs."),
	tenant: z.string(),
	user: z.string(),
	display_name: z.string().optional(),
	roles: z.array(z.string()),
	has_password: z.boolean(),
	provider: z.string().optional().describe("The identity provider they log in at."),
	created_at_ms: at_ms_schema,
	login_at_ms: at_ms_schema.optional().describe("When they last logged in here."),
	etag: z.string().describe("Of what can be changed of them: for `If-Match` when that is done."),
});
export const users_schema = z.object({ users: z.array(user_schema), next: next_schema });

export const add_user_schema = z.strictObject({
	tenant: part_schema.optional().describe("`default` when absent."),
	user: part_schema,
	display_name: z.string().max(128).optional(),
	roles: labels_schema.optional(),
	password: password_schema.optional(),
});

export const change_user_schema = z.strictObject({
	display_name: z.string().max(128).optional(),
	roles: labels_schema.optional(),
	password: password_schema.optional(),
});

export const key_schema = z.object({
	name: z.string(),
	source: z.enum(["config", "store"]).describe("Where it stands; those of the file change there."),
	tenant: z.string(),
	user: z.string(),
	roles: z.array(z.string()).optional().describe("Absent: those of its holder."),
	scopes: z.array(z.string()).optional().describe("Absent: not limited by scopes."),
	created_at_ms: at_ms_schema.optional(),
	expires_at_ms: at_ms_schema.optional(),
	used_at_ms: at_ms_schema.optional().describe("Its last use, to the minute."),
});
export const keys_schema = z.object({ keys: z.array(key_schema), next: next_schema });

export const add_key_schema = z.strictObject({
	name: z.string().min(1).max(64),
	tenant: part_schema.optional().describe("`default` when absent."),
	user: part_schema.optional().describe("The key's name when absent."),
	roles: labels_schema.optional(),
	scopes: labels_schema.optional(),
	expires_at_ms: at_ms_schema.optional(),
});
/** A key of whoever asks: it may what they may, or less. */
export const add_my_key_schema = add_key_schema.pick({
	name: true,
	scopes: true,
	expires_at_ms: true,
});
export const my_keys_schema = z.object({
	keys: z.array(key_schema),
	why_not: z
		.string()
		.optional()
		.describe("Why whoever asks cannot make keys, as they are signed in now; absent: they can."),
});
export const added_key_schema = z.object({
	key: z.string().describe("The key itself: shown now and never again."),
	entry: key_schema,
	note: z.string().optional().describe("Why it does not work yet, and what to do."),
});

const text_schema = z.string().max(2048);

export const client_schema = z.object({
	client_id: z.string(),
	name: z.string().optional(),
	source: z
		.enum(["admin", "dynamic", "document"])
		.describe("Made by hand, registered by itself, or described by the document at its id."),
	redirect_uris: z.array(z.string()),
	grant_types: z.array(z.string()),
	principal: z.string().optional().describe("In whose name it acts without a person."),
	grants: z.int().nonnegative().describe("How many people have allowed it."),
	created_at_ms: at_ms_schema.optional(),
});
export const clients_schema = z.object({ clients: z.array(client_schema), next: next_schema });

export const add_client_schema = z.strictObject({
	client_id: z
		.string()
		.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
		.optional()
		.describe("Drawn when absent."),
	name: z.string().min(1).max(128).optional(),
	redirect_uris: z.array(text_schema).max(16).optional(),
	secret: z.boolean().optional().describe("Whether it gets a secret; shown once."),
	jwks: z
		.looseObject({
			keys: z
				.array(z.looseObject({ kty: z.string() }))
				.min(1)
				.max(16),
		})
		.optional()
		.describe("Public keys, for a client that signs its assertions."),
	tenant: part_schema.optional().describe("With `user`: in whose name it acts without a person."),
	user: part_schema.optional(),
	roles: labels_schema.optional(),
	enterprise: z
		.boolean()
		.optional()
		.describe("Whether it may come with assertions of a trusted identity provider (ID-JAG)."),
});
export const added_client_schema = z.object({
	client: client_schema,
	client_secret: z.string().optional().describe("Shown now and never again."),
});

export const grant_schema = z.object({
	id: z.string(),
	account: z.string().describe("Who allowed it: `tenant/user`."),
	client_id: z.string(),
	scopes: z.array(z.string()),
	resources: z.array(z.string()),
	created_at_ms: at_ms_schema,
	expires_at_ms: at_ms_schema.optional(),
});
export const grants_schema = z.object({ grants: z.array(grant_schema), next: next_schema });

/** What was removed or ended: its name or id. */
export const removed_schema = z.object({ removed: z.string() });

/** A person who was removed, and what became of what they had authorized. */
export const removed_user_schema = removed_schema.extend({ ended_grants: ended_grants_schema });

export type RemovedUser = Shape<typeof removed_user_schema>;
export type UserEntry = Shape<typeof user_schema>;
export type AddUser = Shape<typeof add_user_schema>;
export type ChangeUser = Shape<typeof change_user_schema>;
export type KeyEntry = Shape<typeof key_schema>;
export type AddMyKey = Shape<typeof add_my_key_schema>;
export type MyKeys = Shape<typeof my_keys_schema>;
export type AddKey = Shape<typeof add_key_schema>;
export type AddedKey = Shape<typeof added_key_schema>;
export type ClientEntry = Shape<typeof client_schema>;
export type AddClient = Shape<typeof add_client_schema>;
export type AddedClient = Shape<typeof added_client_schema>;
export type GrantEntry = Shape<typeof grant_schema>;
export type Removed = Shape<typeof removed_schema>;
