import { Hono } from "hono";
import { createTokenCheck } from "./auth.ts";
import type { AdminBackend } from "./backend.ts";
import { createHandlers, type Handler } from "./handlers.ts";
import { openApiDocument } from "./openapi.ts";
import { type Operation, type OperationId, operations } from "./operations.ts";
import type { AdminApiOptions } from "./options.ts";
import { problemOf, problemResponse } from "./problem.ts";

/** Random bytes behind the id that joins an answer and the log line of a defect. */
const error_id_bytes = 6;

/**
 * The admin API as a Hono app: every operation of the contract, behind one token check that
 * comes before routing, so that without the token not even the shape of the API is told.
 * There are no cross-origin headers: a page of another origin can read nothing.
 */
export function createAdminApi(backend: AdminBackend, options: AdminApiOptions): Hono {
	const app = new Hono();
	const isToken = createTokenCheck(options.token);
	app.use(async (context, next) => {
		const header = context.req.header("authorization");
		if (!isToken(header)) return unauthorized(header !== undefined);
		await next();
		context.header("cache-control", "no-store");
		context.header("x-content-type-options", "nosniff");
		return undefined;
	});
	const document = `${JSON.stringify(openApiDocument(options.version))}\n`;
	const handlers: Record<OperationId, Handler> = {
		...createHandlers(backend, options),
		getOpenApi: () => jsonText(document),
	};
	for (const [id, operation] of Object.entries<Operation>(operations)) {
		app.on(operation.method, honoPath(operation.path), handlers[id as OperationId]);
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

function unauthorized(presented: boolean): Response {
	const message = presented
		? "The token is not the admin token of this gateway."
		: "The admin API needs the admin token.";
	const challenge = `Bearer realm="moorage"${presented ? ', error="invalid_token"' : ""}`;
	return problemResponse(problemOf("unauthorized", message), { "www-authenticate": challenge });
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

function jsonText(text: string): Response {
	return new Response(text, { headers: { "content-type": "application/json" } });
}
