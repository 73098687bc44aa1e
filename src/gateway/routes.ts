import type { ServerResponse } from "node:http";

/** What a path leads to. */
export type Route =
	| { readonly kind: "endpoint"; readonly name: string }
	| { readonly kind: "admin" }
	| { readonly kind: "health"; readonly name: "healthz" | "readyz" }
	| { readonly kind: "none" };

const endpoint_path = /^\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/mcp\/?$/;

/** Finds the route of a request target. Query strings are not looked at. */
export function routeOf(target: string): Route {
	const question = target.indexOf("?");
	const path = question < 0 ? target : target.slice(0, question);
	if (path === "/mcp" || path === "/mcp/") return { kind: "endpoint", name: "mcp" };
	if (path === "/healthz") return { kind: "health", name: "healthz" };
	if (path === "/readyz") return { kind: "health", name: "readyz" };
	if (path === "/api" || path.startsWith("/api/")) return { kind: "admin" };
	const endpoint = endpoint_path.exec(path);
	return endpoint === null ? { kind: "none" } : { kind: "endpoint", name: endpoint[1] as string };
}

/** Answers with a small JSON document. */
export function answerJson(response: ServerResponse, status: number, body: object): void {
	const bytes = Buffer.from(JSON.stringify(body));
	response.writeHead(status, {
		"content-type": "application/json",
		"content-length": bytes.length,
		"cache-control": "no-store",
	});
	response.end(bytes);
}
