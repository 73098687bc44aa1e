import type { Context } from "hono";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { alerts_operations } from "./alerts-operations.ts";
import type { AdminBackend, ItemList, ReleaseBackend } from "./backend.ts";
import { callerOf, hasRole } from "./caller.ts";
import {
	add_server_schema,
	create_backup_schema,
	deploy_schema,
	fork_schema,
	type ItemKind,
	log_tail_default,
	log_tail_max,
	rollback_schema,
} from "./contract.ts";
import type { dashboard_operations } from "./dashboard-operations.ts";
import { eventStreamResponse } from "./event-stream.ts";
import type { evidence_operations } from "./evidence-operations.ts";
import type { grant_operations } from "./grant-operations.ts";
import { peopleHandlers } from "./handlers-people.ts";
import { logStream } from "./log-stream.ts";
import type { mcp_session_operations } from "./mcp-session-operations.ts";
import type { my_key_operations } from "./my-key-operations.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { OperationId } from "./operations.ts";
import type { AdminApiOptions } from "./options.ts";
import { policyHandlers } from "./policy-handlers.ts";
import { type AdminProblem, problemOf, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { readJson } from "./read-json.ts";
import { json, jsonText, outcome } from "./responses.ts";
import type { safety_operations } from "./safety-operations.ts";
import type { secret_operations } from "./secret-operations.ts";
import type { server_page_operations } from "./server-page-operations.ts";
import type { tenant_operations } from "./tenant-operations.ts";

/** Answers one operation. */
export type Handler = (context: Context) => Response | Promise<Response>;

/** Bodies other than a tool's arguments describe one server. */
const entry_bytes_max = 256 * 1024;

/** Operations that have their handlers elsewhere. */
type OtherOperation =
	| "getOpenApi"
	| keyof typeof dashboard_operations
	| keyof typeof alerts_operations
	| keyof typeof evidence_operations
	| keyof typeof safety_operations
	| keyof typeof grant_operations
	| keyof typeof secret_operations
	| keyof typeof mcp_session_operations
	| keyof typeof my_key_operations
	| keyof typeof tenant_operations
	| keyof typeof server_page_operations;

/** A handler for every operation, except the document itself. */
export function createHandlers(
	backend: AdminBackend,
	options: AdminApiOptions,
	streams: OpenStreams,
): Record<Exclude<OperationId, OtherOperation>, Handler> {
	const item_handler = (kind: ItemKind) => async (context: Context) => {
		const server = nameOf(context);
		const items = await backend.items(server, kind, { may_start: mayStart(context) });
		return items.ok ? itemsResponse(server, kind, items.value) : problemResponse(items.problem);
	};
	return {
		getStatus: () => json(backend.status()),
		listServers: () => json({ servers: backend.servers() }),
		getServer(context) {
			const status = backend.server(nameOf(context));
			return status === undefined ? unknownServer(nameOf(context)) : json(status);
		},
		async getServerDetails(context) {
			const details = await backend.details(nameOf(context));
			return details === undefined ? unknownServer(nameOf(context)) : json(details);
		},
		async addServer(context) {
			const body = await readBody(context.req.raw, entry_bytes_max, add_server_schema);
			if (!body.ok) return problemResponse(body.problem);
			const added = await backend.addServer(body.value);
			if (!added.ok) return problemResponse(added.problem);
			const location = `/api/servers/${encodeURIComponent(added.value.name)}`;
			return json(added.value, 201, { location });
		},
		removeServer: async (context) => outcome(await backend.removeServer(nameOf(context))),
		restartServer: async (context) => outcome(await backend.restartServer(nameOf(context))),
		getLogs: createLogHandler(backend, options, streams),
		listTools: item_handler("tools"),
		listResources: item_handler("resources"),
		listPrompts: item_handler("prompts"),
		async callTool(context) {
			const body = await readJson(context.req.raw, options.call_bytes_max);
			if (!body.ok) return problemResponse(body.problem);
			const { text, value } = body.value;
			if (typeof value !== "object" || value === null || Array.isArray(value)) {
				return problemResponse(
					problemOf("invalid_request", "A tool's arguments are a JSON object."),
				);
			}
			const tool = context.req.param("tool") as string;
			const { signal } = context.req.raw;
			const { principal } = callerOf(context);
			const result = await backend.callTool(nameOf(context), tool, text, { principal, signal });
			return result.ok ? jsonText(result.value) : problemResponse(result.problem);
		},
		listEndpoints: () => json({ endpoints: backend.status().endpoints }),
		reload: async () => outcome(await backend.reload()),
		...releaseHandlers(backend.releases),
		...peopleHandlers(backend.people),
		...policyHandlers(backend.policy),
		async createBackup(context) {
			const body = await readBody(context.req.raw, entry_bytes_max, create_backup_schema);
			if (!body.ok) return problemResponse(body.problem);
			const made = await backend.createBackup(body.value.path);
			return made.ok ? json(made.value, 201) : problemResponse(made.problem);
		},
		getDoctor: async (context) => outcome(await backend.doctor({ may_start: mayStart(context) })),
	};
}

/** Everything about versions. */
function releaseHandlers(releases: ReleaseBackend) {
	return {
		listVersions(context: Context) {
			const versions = releases.versions(nameOf(context));
			return versions === undefined ? unknownServer(nameOf(context)) : json(versions);
		},
		async deployServer(context: Context) {
			const body = await readBody(context.req.raw, entry_bytes_max, deploy_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await releases.deploy(nameOf(context), body.value));
		},
		async rollbackServer(context: Context) {
			const body = await readBody(context.req.raw, entry_bytes_max, rollback_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await releases.rollback(nameOf(context), body.value.version));
		},
		promoteServer: async (context: Context) => outcome(await releases.promote(nameOf(context))),
		async forkServer(context: Context) {
			const body = await readBody(context.req.raw, entry_bytes_max, fork_schema);
			if (!body.ok) return problemResponse(body.problem);
			const forked = await releases.fork(nameOf(context), body.value.name);
			return forked.ok ? json(forked.value, 201) : problemResponse(forked.problem);
		},
		getPlan: async () => outcome(await releases.plan()),
	};
}

function createLogHandler(
	backend: AdminBackend,
	options: AdminApiOptions,
	streams: OpenStreams,
): Handler {
	return (context) => {
		const server = nameOf(context);
		const tail = readTail(context.req.query("tail"));
		if (!tail.ok) return problemResponse(tail.problem);
		const lines = backend.logs(server, { tail: tail.value });
		if (lines === undefined) return unknownServer(server);
		const last = lines.slice(Math.max(0, lines.length - tail.value));
		if (!wantsStream(context)) return json({ server, lines: last });
		const opened = streams.open("logs", context);
		if (!opened.ok) return problemResponse(opened.problem);
		const { signal, close } = opened.value;
		const stream = logStream({
			clock: options.clock,
			lines: last,
			follow: (listener) => backend.followLogs(server, listener) ?? (() => undefined),
			signal,
			onEnd: close,
		});
		return eventStreamResponse(stream);
	};
}

function readTail(text: string | undefined): Result<number, AdminProblem> {
	if (text === undefined) return succeed(log_tail_default);
	const tail = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
	return tail <= log_tail_max
		? succeed(tail)
		: fail(problemOf("invalid_request", `tail must be a number from 0 to ${log_tail_max}.`));
}

function wantsStream(context: Context): boolean {
	const follow = context.req.query("follow");
	if (follow !== undefined) return follow === "1" || follow === "true";
	return context.req.header("accept")?.includes("text/event-stream") ?? false;
}

function itemsResponse(server: string, kind: ItemKind, list: ItemList): Response {
	const head = `"server":${JSON.stringify(server)},"fetched_at_ms":${list.fetched_at_ms}`;
	const templates = kind === "resources" ? `,"templates":[${list.templates.join(",")}]` : "";
	return jsonText(`{${head},"${kind}":[${list.items.join(",")}]${templates}}`);
}

function unknownServer(name: string): Response {
	return problemResponse(problemOf("server_unknown", `There is no server named "${name}".`));
}

/** Only admins make a program start by looking at something. */
function mayStart(context: Context): boolean {
	return hasRole(callerOf(context), []);
}

function nameOf(context: Context): string {
	return context.req.param("name") as string;
}
