import { z } from "zod";
import { alerts_components } from "./alerts-operations.ts";
import * as contract from "./contract.ts";
import * as people from "./contract-people.ts";
import * as mcp from "./contracts/mcp-sessions.ts";
import { policy_components } from "./contracts/policy.ts";
import { server_page_components } from "./contracts/server-page.ts";
import { tenant_components } from "./contracts/tenants.ts";
import { dashboard_components } from "./dashboard-components.ts";
import { evidence_components } from "./evidence-components.ts";
import { grant_components } from "./grant-components.ts";
import { type Operation, operations } from "./operations.ts";
import { safety_components } from "./safety-operations.ts";
import { secret_components } from "./secret-components.ts";

/** Component names of the schemas that stand in the document by reference. */
const components: Readonly<Record<string, z.ZodType>> = {
	Overview: contract.overview_schema,
	ServerOverview: contract.server_overview_schema,
	EndpointOverview: contract.endpoint_overview_schema,
	Servers: contract.servers_schema,
	ServerStatus: contract.server_status_schema,
	ServerDetails: contract.server_details_schema,
	InstanceStatus: contract.instance_status_schema,
	ServerState: contract.server_state_schema,
	Endpoints: contract.endpoints_schema,
	Logs: contract.logs_schema,
	LogLine: contract.log_line_schema,
	Tools: contract.tools_schema,
	Resources: contract.resources_schema,
	Prompts: contract.prompts_schema,
	ToolArguments: contract.tool_arguments_schema,
	ToolResult: contract.tool_result_schema,
	ServerEntry: contract.server_entry_schema,
	AddServer: contract.add_server_schema,
	ChangedServer: contract.changed_server_schema,
	Reloaded: contract.reloaded_schema,
	Version: contract.version_schema,
	Versions: contract.versions_schema,
	RolloutState: contract.rollout_state_schema,
	DeployRequest: contract.deploy_schema,
	RollbackRequest: contract.rollback_schema,
	ForkRequest: contract.fork_schema,
	Deployed: contract.deployed_schema,
	Forked: contract.forked_schema,
	Changes: contract.changes_schema,
	InstanceUsage: contract.usage_schema,
	InstanceLimits: contract.limits_schema,
	BackupRequest: contract.create_backup_schema,
	Backup: contract.backup_schema,
	DoctorReport: contract.doctor_schema,
	DoctorCheck: contract.doctor_check_schema,
	User: people.user_schema,
	Users: people.users_schema,
	AddUser: people.add_user_schema,
	ChangeUser: people.change_user_schema,
	Key: people.key_schema,
	Keys: people.keys_schema,
	AddKey: people.add_key_schema,
	AddedKey: people.added_key_schema,
	OAuthClient: people.client_schema,
	OAuthClients: people.clients_schema,
	AddOAuthClient: people.add_client_schema,
	AddedOAuthClient: people.added_client_schema,
	Grant: people.grant_schema,
	Grants: people.grants_schema,
	Removed: people.removed_schema,
	RemovedUser: people.removed_user_schema,
	ConfigProblem: contract.config_problem_schema,
	Problem: contract.problem_schema,
	...dashboard_components,
	...secret_components,
	...server_page_components,
	...grant_components,
	McpSession: mcp.mcp_session_schema,
	McpSessions: mcp.mcp_sessions_schema,
	EndedMcpSession: mcp.ended_session_schema,
	MyKeys: people.my_keys_schema,
	AddMyKey: people.add_my_key_schema,
	...alerts_components,
	...evidence_components,
	...safety_components,
	...policy_components,
	...tenant_components,
};

/** The OpenAPI 3.1 document of the admin API, as a plain JSON value. */
export function openApiDocument(version: string): Record<string, unknown> {
	const paths: Record<string, Record<string, unknown>> = {};
	for (const [id, operation] of Object.entries<Operation>(operations)) {
		const path = (paths[operation.path] ??= {});
		path[operation.method.toLowerCase()] = operationObject(id, operation);
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "Moorage admin API",
			version,
			description:
				"Sees and changes what a Moorage gateway hosts. Every address needs a token, a key or a " +
				"session, on loopback too, and names the roles that may use it.",
		},
		security: [{ admin_token: [] }],
		paths,
		components: {
			securitySchemes: {
				admin_token: {
					type: "http",
					scheme: "bearer",
					description: "The content of keys/admin-token in the data folder.",
				},
			},
			schemas: componentSchemas(),
		},
	};
}

function operationObject(id: string, operation: Operation): Record<string, unknown> {
	const parameters = parameterObjects(operation);
	const problems = [...new Set([401, 403, 500, ...operation.problems])].toSorted((a, b) => a - b);
	return {
		operationId: id,
		summary: operation.summary,
		"x-moorage-roles": ["admin", ...operation.roles],
		...(operation.open === true ? { security: [] } : {}),
		...(parameters.length === 0 ? {} : { parameters }),
		...(operation.body === undefined
			? {}
			: { requestBody: { required: true, content: jsonContent(operation.body) } }),
		responses: {
			[operation.reply_status]: { description: "Success.", content: replyContent(operation) },
			...Object.fromEntries(problems.map((status) => [status, problemObject()])),
		},
	};
}

function parameterObjects(operation: Operation): unknown[] {
	const in_path = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => ({
		name: match[1],
		in: "path",
		required: true,
		schema: { type: "string" },
	}));
	const in_query = Object.entries(operation.query ?? {}).map(([name, description]) => ({
		name,
		in: "query",
		description,
		schema: { type: "string" },
	}));
	const in_headers =
		operation.if_match === undefined
			? []
			: [
					{
						name: "If-Match",
						in: "header",
						required: operation.if_match === "needed",
						description: "The `etag` of what was read: refused (412) where it is another by now.",
						schema: { type: "string" },
					},
				];
	return [...in_path, ...in_query, ...in_headers];
}

function replyContent(operation: Operation): Record<string, unknown> {
	return {
		...jsonContent(operation.reply),
		...(operation.streams === true ? { "text/event-stream": { schema: { type: "string" } } } : {}),
	};
}

function jsonContent(schema: z.ZodType | undefined): Record<string, unknown> {
	if (schema === undefined) return { "application/json": { schema: { type: "object" } } };
	const name = Object.keys(components).find((key) => components[key] === schema);
	return { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
}

function problemObject(): Record<string, unknown> {
	return {
		description: "A problem (RFC 9457).",
		content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
	};
}

function componentSchemas(): Record<string, unknown> {
	const registry = z.registry<{ id: string }>();
	for (const [id, schema] of Object.entries(components)) registry.add(schema, { id });
	// The input side is the open one: what a later version adds must not make a reply invalid.
	const { schemas } = z.toJSONSchema(registry, {
		uri: (id) => `#/components/schemas/${id}`,
		io: "input",
	});
	for (const schema of Object.values<Record<string, unknown>>(schemas)) {
		delete schema["$schema"];
		delete schema["$id"];
	}
	return schemas;
}
