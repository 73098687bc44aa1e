import { z } from "zod";
import { traffic_schema } from "./fleet.ts";
import { kill_switch_schema } from "./safety.ts";
import type { Shape } from "./shape.ts";

/** Tenants: the part of the contract about groups of people who are kept apart from each other. */

/** Most tenants that one request tells of. */
export const tenants_max = 500;
/** Tenants told of where the request does not say how many. */
export const tenants_default = 100;

const count_schema = z.int().nonnegative();

export const tenant_schema = z.object({
	name: z.string(),
	people: count_schema.describe("People whom this gateway keeps."),
	keys: count_schema.describe("API keys, those of the configuration too."),
	sessions: count_schema.describe("Open sessions of MCP clients of the legacy era."),
	in_flight: count_schema.describe("Requests that are being answered now."),
	traffic: traffic_schema.describe("Calls of its people, of the last minute."),
	off: kill_switch_schema.optional().describe("That it is switched off, where it is."),
});

export const tenants_schema = z.object({
	total: count_schema.describe("How many there are, with those that are not listed."),
	tenants: z.array(tenant_schema).describe("By name."),
	next: z.string().optional().describe("The `cursor` of the next page; absent on the last."),
});

export const tenant_server_schema = z.object({
	name: z.string(),
	scope: z.enum(["shared", "tenant", "user", "session"]).describe("Who shares an instance."),
	instances: count_schema.describe("Instances that work for this tenant, or one of it, alone."),
	open_to: count_schema
		.optional()
		.describe("How many of those who were asked about may use it, where `access` was wanted."),
});

export const tenant_limit_schema = z.object({
	name: z.string().describe("The rule, or what else limits."),
	line: z.int().optional().describe("Line of the configuration, for a rule."),
	says: z.string().describe("A sentence."),
});

export const tenant_details_schema = tenant_schema.extend({
	members: z
		.array(
			z.object({
				user: z.string(),
				kind: z.enum(["person", "key", "certificate"]).describe("How they are known here."),
				name: z.string().describe("As people call them; a key's or certificate's own name."),
				roles: z.array(z.string()),
			}),
		)
		.describe("Who is known of it, people first."),
	members_left_out: count_schema.describe("How many there are beyond those."),
	servers: z.array(tenant_server_schema).describe("In the order of the configuration."),
	asked: count_schema.optional().describe("Of how many members `open_to` was found out."),
	limits: z.array(tenant_limit_schema),
});

export type TenantPage = Shape<typeof tenants_schema>;
export type TenantEntry = Shape<typeof tenant_schema>;
export type TenantDetails = Shape<typeof tenant_details_schema>;

/** Names of the schemas of tenants in the API's document. */
export const tenant_components: Readonly<Record<string, z.ZodType>> = {
	Tenant: tenant_schema,
	Tenants: tenants_schema,
	TenantDetails: tenant_details_schema,
	TenantServer: tenant_server_schema,
	TenantLimit: tenant_limit_schema,
};
