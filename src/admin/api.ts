import { type Context, Hono } from "hono";
import { Admission } from "./admission.ts";
import { createAlertsHandlers } from "./alerts-handlers.ts";
import type { AdminBackend } from "./backend.ts";
import { callerOf, hasRole } from "./caller.ts";
import { createDashboardHandlers } from "./dashboard-handlers.ts";
import type { ActionRecorder } from "./evidence-backend.ts";
import { createEvidenceHandlers } from "./evidence-handlers.ts";
import { createGrantHandlers } from "./grant-handlers.ts";
import { createHandlers, type Handler } from "./handlers.ts";
import { createMcpSessionHandlers } from "./mcp-session-handlers.ts";
import { createMyKeyHandlers } from "./my-key-handlers.ts";
import { OpenStreams } from "./open-streams.ts";
import { openApiDocument } from "./openapi.ts";
import { type Operation, type OperationId, operations } from "./operations.ts";
import type { AdminApiOptions } from "./options.ts";
import { type AdminProblem, problemOf, problemResponse } from "./problem.ts";
import { jsonText } from "./responses.ts";
import { createSafetyHandlers } from "./safety-handlers.ts";
import { createSecretHandlers } from "./secret-handlers.ts";
import { createServerPageHandlers } from "./server-page-handlers.ts";
import { createTenantHandlers } from "./tenant-handlers.ts";

/** Random bytes behind the id that joins an answer and the log line of a defect. */
const error_id_bytes = 6;

/**
 * The admin API as a Hono app: every operation of the contract, behind one admission that comes
 * before routing, so that nobody unknown is told even the shape of the API.
 * There are no cross-origin headers: a page of another origin can read nothing.
 */
export function createAdminApi(backend: AdminBackend, options: AdminApiOptions): Hono {
	const app = new Hono();
	const admission = new Admission(options);
	const { clock, sessions, signal } = options;
	const streams = new OpenStreams({ clock, admission, sessions, signal });
	app.use(async (context, next) => {
		if (!isOpen(context.req.method, context.req.path)) {
			const caller = await admission.admit(context);
			if (!caller.ok) return refusal(caller.problem, context.req.header("authorization"));
			context.set("caller", caller.value);
		}
		await next();
		context.header("cache-control", "no-store");
		context.header("x-content-type-options", "nosniff");
		return undefined;
	});
	// Making it takes longer than everything else here, and few ever read it.
	let document: string | undefined;
	const handlers: Record<OperationId, Handler> = {
		...createHandlers(backend, options, streams),
		...createDashboardHandlers(backend.dashboard, options, admission, streams),
		...createAlertsHandlers(backend.alerts),
		...createEvidenceHandlers(backend.evidence, () => options.clock.now()),
		...createSafetyHandlers(backend.safety),
		...createSecretHandlers(backend.secrets),
		...createServerPageHandlers(backend.server_page),
		...createGrantHandlers(backend.grants),
		...createMcpSessionHandlers(backend.mcp_sessions),
		...createMyKeyHandlers(backend.my_keys),
		...createTenantHandlers(backend.tenants),
		getOpenApi() {
			document ??= JSON.stringify(openApiDocument(options.version));
			return jsonText(document);
		},
	};
	for (const [id, operation] of Object.entries<Operation>(operations)) {
		const handler = handlers[id as OperationId];
		app.on(operation.method, honoPath(operation.path), (context) => {
			const refused = roleProblem(operation, context);
			if (refused !== undefined) return problemResponse(refused);
			if (!isAction(id as OperationId, operation)) return handler(context);
			const acted = recorded(id, operation, context, handler, backend.evidence);
			// It may have been somebody's key, role or account.
			return acted.finally(() => streams.look());
		});
	}
	app.notFound((context) => unknownAddress(context.req.method, context.req.path));
	app.onError((error) => {
		const error_id = options.random.bytes(error_id_bytes).toString("base64url");
		options.onDefect(error, error_id);
		const problem = problemOf("internal", "Moorage failed to handle this request.");
		return problemResponse({ ...problem, error_id });
	});
	return app;
}

/** What changes nothing that is kept, or is recorded as the call that it makes. */
const no_actions: ReadonlySet<OperationId> = new Set<OperationId>([
	"createSession",
	"endSession",
	"callTool",
	"createLink",
	"play",
	"answerPlay",
	"frameApp",
	"previewConfig",
	"testPolicy",
	"proposeServers",
	"draftSettings",
]);

function isAction(id: OperationId, { method }: Operation): boolean {
	return method !== "GET" && !no_actions.has(id);
}

/** Does what an administrator asks for, written down before it and before they hear of it. */
async function recorded(
	operation: string,
	{ path }: Operation,
	context: Context,
	handler: Handler,
	recorder: ActionRecorder,
): Promise<Response> {
	const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
	const subject = Object.fromEntries(names.map((name) => [name, context.req.param(name) ?? ""]));
	const begun = await recorder.begin({ operation, subject, caller: callerOf(context) });
	if (!begun.ok) return problemResponse(begun.problem);
	let status = 500;
	try {
		const response = await handler(context);
		status = response.status;
		return response;
	} finally {
		await begun.value(status);
	}
}

const open_operations = Object.values<Operation>(operations).filter(({ open }) => open === true);

/** Signing in is the one thing that nobody has to be known for. */
function isOpen(method: string, path: string): boolean {
	return open_operations.some((one) => one.method === method && one.path === path);
}

/** Why a caller may not do this, if so. */
function roleProblem(operation: Operation, context: Context): AdminProblem | undefined {
	if (operation.open === true || hasRole(callerOf(context), operation.roles)) return undefined;
	const roles = ["admin", ...operation.roles].join(", ");
	const message = `This needs one of the roles ${roles}; you have ${held(context)}.`;
	return problemOf("forbidden", operation.roles.length === 0 ? onlyAdmins(context) : message);
}

function onlyAdmins(context: Context): string {
	return `This needs the role admin; you have ${held(context)}.`;
}

function held(context: Context): string {
	return callerOf(context).roles.join(", ");
}

/** RFC 6750 section 3: who presented a token that is not good is told so. */
function refusal(problem: AdminProblem, authorization: string | undefined): Response {
	if (problem.code === "forged_request") return problemResponse(problem);
	const wrong = authorization === undefined ? "" : ', error="invalid_token"';
	return problemResponse(problem, { "www-authenticate": `Bearer realm="moorage"${wrong}` });
}

function unknownAddress(method: string, path: string): Response {
	const allowed = Object.values<Operation>(operations)
		.filter((operation) => pathPattern(operation.path).test(path))
		.map((operation) => operation.method);
	if (allowed.length === 0) {
		return problemResponse(problemOf("not_found", `There is nothing at ${path}.`));
	}
	const message = `${path} does not answer to ${method}.`;
	return problemResponse(problemOf("method_not_allowed", message), { allow: allowed.join(", ") });
}

function honoPath(template: string): string {
	return template.replace(/\{(\w+)\}/g, ":$1");
}

function pathPattern(template: string): RegExp {
	return new RegExp(`^${template.replace(/\./g, "\\.").replace(/\{\w+\}/g, "[^/]+")}$`);
}
