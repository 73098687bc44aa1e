import { z } from "zod";

/** Authorizations at remote servers: the part of the contract about them. Never tokens. */

const at_ms = z.int().describe("Milliseconds since the epoch.");
const tenant = z.string().describe("Whose tenant it is; empty: the gateway itself.");
const user = z.string().describe("The person of the tenant; empty: all of it.");
const server = z.string();

export const upstream_grant_schema = z.object({
	tenant,
	user,
	server,
	issuer: z.string().describe("The authorization server that gave it."),
	scopes: z.array(z.string()).describe("What was asked for."),
	renewable: z.boolean().describe("Whether it can be renewed without a person."),
	renew_at_ms: at_ms.optional().describe("When its token is to be renewed."),
	created_at_ms: at_ms.describe("When it was given first."),
	changed_at_ms: at_ms.describe("When its token was got."),
});
export const upstream_grants_schema = z.object({ grants: z.array(upstream_grant_schema) });

const issuer = z.string().describe("The authorization server that gave it.");
const told_issuer = {
	issuer,
	outcome: z
		.enum(["revoked", "not_offered", "failed", "queued"])
		.describe(
			"`revoked`: it takes the tokens no more (RFC 7009); `not_offered`: it has nothing to be told " +
				"at; `failed`: it could not be told; `queued`: no gateway ran, and the next one tells it. " +
				"Whatever it is, the tokens are gone here.",
		),
};

/** What became of telling the authorization servers of everything that somebody had authorized. */
export const ended_grants_schema = z
	.array(z.object({ server, ...told_issuer }))
	.describe("What they had authorized at remote servers.");

export const revoked_grants_schema = z.object({
	tenant,
	user,
	server,
	removed: z.int().describe("How many there were."),
	issuers: z.array(z.object(told_issuer)).describe("What became of telling those who gave them."),
});

export const my_grant_schema = z.object({
	server,
	used_by: z.enum(["you", "tenant", "gateway"]).describe("Whose calls use the account."),
	connectable: z.boolean().describe("Whether the server is still there to be connected to."),
	connected: z.boolean(),
	issuer: z.string().optional().describe("The authorization server that gave it."),
	scopes: z.array(z.string()).optional().describe("What was asked for."),
	renewable: z.boolean().optional().describe("Whether it can be renewed without a person."),
	created_at_ms: at_ms.optional().describe("When it was given first."),
	changed_at_ms: at_ms.optional().describe("When its token was got."),
});
export const my_grants_schema = z.object({ grants: z.array(my_grant_schema) });

export const connect_page_schema = z.object({
	url: z.string().describe("The page on which whoever asks goes on, in the same browser."),
});

export type MyGrant = z.infer<typeof my_grant_schema>;
export type UpstreamGrantEntry = z.infer<typeof upstream_grant_schema>;
export type EndedGrants = z.infer<typeof ended_grants_schema>;
export type RevokedGrants = z.infer<typeof revoked_grants_schema>;
