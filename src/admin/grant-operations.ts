import * as grants from "./contracts/upstream-grants.ts";
import type { Operation } from "./operations.ts";

const everybody = ["operator", "auditor", "approver", "member"] as const;

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
	listMyGrants: {
		method: "GET",
		path: "/api/me/grants",
		summary: "The accounts that whoever asks has connected, and those that they could.",
		roles: everybody,
		reply: grants.my_grants_schema,
		reply_status: 200,
		problems: [],
	},
	connectMyGrant: {
		method: "POST",
		path: "/api/me/grants/{server}",
		summary: "Begins to connect an account: the page to go on, signed in already in a browser.",
		roles: everybody,
		reply: grants.connect_page_schema,
		reply_status: 200,
		problems: [403, 404],
	},
	revokeMyGrant: {
		method: "DELETE",
		path: "/api/me/grants/{server}",
		summary: "Ends the use of an account of whoever asks: the next call asks anew.",
		roles: everybody,
		reply: grants.revoked_grants_schema,
		reply_status: 200,
		problems: [404],
	},
} as const satisfies Record<string, Operation>;
