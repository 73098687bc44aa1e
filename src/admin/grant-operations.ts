import * as grants from "./contracts/upstream-grants.ts";
import type { Operation } from "./operations.ts";

/** Authorizations at remote servers: who has which, and ending them. */
export const grant_operations = {
	listUpstreamGrants: {
		method: "GET",
		path: "/api/upstream-grants",
		summary: "Who has authorized Moorage to use which remote server, without the tokens.",
		roles: ["operator", "auditor"],
		reply: grants.upstream_grants_schema,
		reply_status: 200,
		problems: [],
	},
	revokeUpstreamGrant: {
		method: "DELETE",
		path: "/api/upstream-grants/{server}",
		summary: "Forgets what somebody has authorized at a server: the next call asks anew.",
		roles: ["operator"],
		query: {
			tenant: "Whose tenant; the gateway's own authorization when absent.",
			user: "The person of the tenant.",
		},
		reply: grants.revoked_grants_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
