import * as page from "./contracts/server-page.ts";
import type { Operation } from "./operations.ts";

const readers = ["operator", "auditor"] as const;

/** One server seen from near: what it is given, who may call it, its entry in the file. */
export const server_page_operations = {
	getServerSecrets: {
		method: "GET",
		path: "/api/servers/{name}/secrets",
		summary: "The values that a server is given: where from, since when, whether they are there.",
		roles: readers,
		reply: page.server_secrets_schema,
		reply_status: 200,
		problems: [404],
	},
	getServerAccess: {
		method: "GET",
		path: "/api/servers/{name}/access",
		summary: "Which rules are about a server's tools, and who may call one of them.",
		roles: readers,
		query: { tool: "The tool whose callers are wanted; none when absent." },
		reply: page.server_access_schema,
		reply_status: 200,
		problems: [404],
	},
	getServerSettings: {
		method: "GET",
		path: "/api/servers/{name}/settings",
		summary: "A server's entry in the configuration file, with the schema of such an entry.",
		roles: [],
		reply: page.server_settings_schema,
		reply_status: 200,
		problems: [404, 409, 422],
	},
	draftSettings: {
		method: "POST",
		path: "/api/servers/{name}/settings/draft",
		summary: "The configuration file with another entry of a server, and what it would change.",
		roles: [],
		body: page.settings_draft_schema,
		reply: page.drafted_settings_schema,
		reply_status: 200,
		problems: [400, 404, 409, 412, 413, 415, 422],
	},
} as const satisfies Record<string, Operation>;
