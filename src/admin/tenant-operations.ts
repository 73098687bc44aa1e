import * as tenants from "./contracts/tenants.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;

/** Tenants: who is in which, what they use, and what limits them. */
export const tenant_operations = {
	listTenants: {
		method: "GET",
		path: "/api/tenants",
		summary: "Every tenant that is known, by people, credentials or calls.",
		roles: readers,
		query: {
			q: "Only those whose names hold this.",
			limit: `How many at most; ${tenants.tenants_default} when absent.`,
			cursor: "`next` of the page before.",
		},
		reply: tenants.tenants_schema,
		reply_status: 200,
		problems: [400],
	},
	getTenant: {
		method: "GET",
		path: "/api/tenants/{tenant}",
		summary: "One tenant: its people, the servers they may use, its limits and its calls.",
		roles: readers,
		query: {
			access: "`true`: of each server, too, how many of its first members may use it.",
		},
		reply: tenants.tenant_details_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
