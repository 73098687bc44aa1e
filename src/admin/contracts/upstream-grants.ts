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

export const revoked_grants_schema = z.object({
	tenant,
	user,
	server,
	removed: z.int().describe("How many there were."),
});

export type UpstreamGrantEntry = z.infer<typeof upstream_grant_schema>;
export type RevokedGrants = z.infer<typeof revoked_grants_schema>;
