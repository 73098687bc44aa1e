import type { z } from "zod";
import { alerts_operations } from "./alerts-operations.ts";
import type { AdminRole } from "./caller.ts";
import {
	add_server_schema,
	backup_schema,
	changed_server_schema,
	changes_schema,
	create_backup_schema,
	deploy_schema,
	deployed_schema,
	doctor_schema,
	endpoints_schema,
	fork_schema,
	forked_schema,
	logs_schema,
	overview_schema,
	prompts_schema,
	reloaded_schema,
	resources_schema,
	rollback_schema,
	server_details_schema,
	server_status_schema,
	servers_schema,
	tool_arguments_schema,
	tool_result_schema,
	tools_schema,
	versions_schema,
} from "./contract.ts";
import { dashboard_operations } from "./dashboard-operations.ts";
import { evidence_operations } from "./evidence-operations.ts";
import { safety_operations } from "./safety-operations.ts";
import { secret_operations } from "./secret-operations.ts";
import { server_page_operations } from "./server-page-operations.ts";

const readers = ["operator", "auditor"] as const;
const operators = ["operator"] as const;
/** What may start a process that nobody allowed before, or shows the configuration. */
const admins = [] as const;

import { grant_operations } from "./grant-operations.ts";
import { mcp_session_operations } from "./mcp-session-operations.ts";
import { my_key_operations } from "./my-key-operations.ts";
import { people_operations } from "./operations-people.ts";
import { policy_operations } from "./policy-operations.ts";
import { tenant_operations } from "./tenant-operations.ts";

/** One operation of `/api`, as data: routing, documentation and clients are made from it. */
export interface Operation {
	readonly method: "GET" | "POST" | "PUT" | "DELETE";
	/** Path template of OpenAPI: `/api/servers/{name}`. */
	readonly path: string;
	readonly summary: string;
	/** Roles that may, beside `admin`. */
	readonly roles: readonly AdminRole[];
	/** True for the one that needs nobody to be known: signing in. */
	readonly open?: boolean;
	/** Query parameters and what they mean. */
	readonly query?: Readonly<Record<string, string>>;
	/** Whether `If-Match` with the etag that was read is needed, or does what it says. */
	readonly if_match?: "needed" | "heeded";
	readonly body?: z.ZodType;
	/** What a success looks like; absent for the OpenAPI document itself. */
	readonly reply?: z.ZodType;
	readonly reply_status: 200 | 201;
	/** True when the reply can also be a stream of server-sent events. */
	readonly streams?: boolean;
	/** HTTP statuses of the problems this operation has of its own. */
	readonly problems: readonly number[];
}

/** Every operation of the admin API, by its id. */
export const operations = {
	getOpenApi: {
		method: "GET",
		path: "/api/openapi.json",
		summary: "This document.",
		roles: readers,
		reply_status: 200,
		problems: [],
	},
	getStatus: {
		method: "GET",
		path: "/api/status",
		summary: "The gateway, its servers and its endpoints at a glance.",
		roles: readers,
		reply: overview_schema,
		reply_status: 200,
		problems: [],
	},
	listServers: {
		method: "GET",
		path: "/api/servers",
		summary: "Every server with its state and its instances.",
		roles: readers,
		reply: servers_schema,
		reply_status: 200,
		problems: [],
	},
	getServer: {
		method: "GET",
		path: "/api/servers/{name}",
		summary: "One server with its state and its instances.",
		roles: readers,
		reply: server_status_schema,
		reply_status: 200,
		problems: [404],
	},
	getServerDetails: {
		method: "GET",
		path: "/api/servers/{name}/details",
		summary: "Everything about one server: what it uses, what holds it, what it reached.",
		roles: readers,
		reply: server_details_schema,
		reply_status: 200,
		problems: [404],
	},
	addServer: {
		method: "POST",
		path: "/api/servers",
		summary: "Writes a server into the configuration file and starts hosting it.",
		roles: admins,
		body: add_server_schema,
		reply: changed_server_schema,
		reply_status: 201,
		problems: [400, 409, 413, 415, 422],
	},
	removeServer: {
		method: "DELETE",
		path: "/api/servers/{name}",
		summary: "Takes a server out of the configuration file and stops it.",
		roles: admins,
		reply: changed_server_schema,
		reply_status: 200,
		problems: [404, 409, 422],
	},
	restartServer: {
		method: "POST",
		path: "/api/servers/{name}/restart",
		summary: "Stops a server and starts it again, also when it had failed.",
		roles: operators,
		reply: server_status_schema,
		reply_status: 200,
		problems: [404, 502],
	},
	getLogs: {
		method: "GET",
		path: "/api/servers/{name}/logs",
		summary: "The last lines a server wrote; with `follow` or an event-stream, the next ones too.",
		roles: readers,
		query: {
			tail: "How many of the last lines, 0 to 1000; 100 when absent.",
			follow: "`1` answers with a stream of events, as `Accept: text/event-stream` does.",
		},
		reply: logs_schema,
		reply_status: 200,
		streams: true,
		problems: [400, 404, 503],
	},
	listTools: {
		method: "GET",
		path: "/api/servers/{name}/tools",
		summary: "The tools a server offers; it is started for admins where that is not known yet.",
		roles: readers,
		reply: tools_schema,
		reply_status: 200,
		problems: [404, 409, 502, 503],
	},
	listResources: {
		method: "GET",
		path: "/api/servers/{name}/resources",
		summary:
			"The resources and resource templates a server offers; it is started for admins where that is not known yet.",
		roles: readers,
		reply: resources_schema,
		reply_status: 200,
		problems: [404, 409, 502, 503],
	},
	listPrompts: {
		method: "GET",
		path: "/api/servers/{name}/prompts",
		summary: "The prompts a server offers; it is started for admins where that is not known yet.",
		roles: readers,
		reply: prompts_schema,
		reply_status: 200,
		problems: [404, 409, 502, 503],
	},
	callTool: {
		method: "POST",
		path: "/api/servers/{name}/tools/{tool}/call",
		summary: "Calls a tool: JSON arguments in, the server's own result out.",
		roles: operators,
		body: tool_arguments_schema,
		reply: tool_result_schema,
		reply_status: 200,
		problems: [400, 404, 413, 415, 502, 503, 504],
	},
	listEndpoints: {
		method: "GET",
		path: "/api/endpoints",
		summary: "The addresses clients connect to.",
		roles: readers,
		reply: endpoints_schema,
		reply_status: 200,
		problems: [],
	},
	reload: {
		method: "POST",
		path: "/api/reload",
		summary: "Reads the configuration again; only what changed restarts.",
		roles: admins,
		reply: reloaded_schema,
		reply_status: 200,
		problems: [409, 422],
	},
	listVersions: {
		method: "GET",
		path: "/api/servers/{name}/versions",
		summary: "Every version of a server, and the one that is on its way.",
		roles: readers,
		reply: versions_schema,
		reply_status: 200,
		problems: [404],
	},
	deployServer: {
		method: "POST",
		path: "/api/servers/{name}/deploy",
		summary: "Makes a new version of a server and starts it beside the one that runs.",
		roles: admins,
		body: deploy_schema,
		reply: deployed_schema,
		reply_status: 200,
		problems: [400, 404, 409, 413, 415, 502],
	},
	rollbackServer: {
		method: "POST",
		path: "/api/servers/{name}/rollback",
		summary: "Puts an older version of a server in the place of the one that runs.",
		roles: operators,
		body: rollback_schema,
		reply: deployed_schema,
		reply_status: 200,
		problems: [400, 404, 409, 413, 415, 502],
	},
	promoteServer: {
		method: "POST",
		path: "/api/servers/{name}/promote",
		summary: "Lets a version that waits take all calls, or puts a fork in the place of its server.",
		roles: operators,
		reply: deployed_schema,
		reply_status: 200,
		problems: [404, 409, 502],
	},
	forkServer: {
		method: "POST",
		path: "/api/servers/{name}/fork",
		summary: "Copies a server with its volumes to an address of its own.",
		roles: admins,
		body: fork_schema,
		reply: forked_schema,
		reply_status: 201,
		problems: [400, 404, 409, 413, 415, 502],
	},
	getPlan: {
		method: "GET",
		path: "/api/plan",
		summary: "What applying the configuration would change; changes nothing.",
		roles: readers,
		reply: changes_schema,
		reply_status: 200,
		problems: [422],
	},
	createBackup: {
		method: "POST",
		path: "/api/backup",
		summary: "Copies everything the gateway keeps into a new folder, while it runs.",
		roles: admins,
		body: create_backup_schema,
		reply: backup_schema,
		reply_status: 201,
		problems: [400, 409, 413, 415],
	},
	getDoctor: {
		method: "GET",
		path: "/api/doctor",
		summary:
			"What the gateway's machine can and cannot do: looked at anew for admins, as last seen for others.",
		roles: readers,
		reply: doctor_schema,
		reply_status: 200,
		problems: [409],
	},
	...dashboard_operations,
	...people_operations,
	...tenant_operations,
	...policy_operations,
	...alerts_operations,
	...evidence_operations,
	...safety_operations,
	...secret_operations,
	...server_page_operations,
	...grant_operations,
	...mcp_session_operations,
	...my_key_operations,
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof operations;
