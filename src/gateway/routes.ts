import type { ServerResponse } from "node:http";
import { combined_endpoint } from "./endpoint.ts";
import { metadata_path } from "./wellknown/resource-metadata.ts";

/** Streamable HTTP, or one of the two addresses of the HTTP+SSE transport (2024-11-05). */
export type EndpointPart = "mcp" | "sse" | "message";

/** What a path leads to. */
export type Route =
	| { readonly kind: "endpoint"; readonly name: string; readonly part: EndpointPart }
	| { readonly kind: "admin" }
	/** The dashboard's own files, and the frames of MCP Apps. */
	| { readonly kind: "dashboard" }
	/** Where people connect their accounts at remote servers, and are led back to from there. */
	| { readonly kind: "consent" }
	| { readonly kind: "login" }
	/** Where people sign in to the gateway's own pages. */
	| { readonly kind: "sign_in" }
	/** The pages on which people decide about calls. */
	| { readonly kind: "approvals" }
	| { readonly kind: "metrics" }
	| { readonly kind: "health"; readonly name: "healthz" | "readyz" }
	/** Metadata of an MCP address as a protected resource; of the whole gateway without a name. */
	| { readonly kind: "resource"; readonly of: { name: string; part: EndpointPart } | undefined }
	| { readonly kind: "none" };

const combined_path = /^\/(mcp|sse|message)\/?$/;
const endpoint_path = /^\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/(mcp|sse|message)\/?$/;

/** Looked at last: a server may be named `assets`, and no file is named `mcp`. */
const dashboard_path = /^\/($|(assets|apps)\/)/;
/** What the authorization server says about itself (RFC 8414, OpenID Connect Discovery). */
const login_documents = [
	"/.well-known/oauth-authorization-server",
	"/.well-known/openid-configuration",
];

/** Finds the route of a request target. Query strings are not looked at. */
export function routeOf(target: string): Route {
	const known = known_endpoints.get(target);
	if (known !== undefined) return known;
	const question = target.indexOf("?");
	const path = question < 0 ? target : target.slice(0, question);
	const found = endpointAt(path);
	if (found !== undefined) {
		const route = { kind: "endpoint", ...found } as const;
		if (question < 0) remember(path, route);
		return route;
	}
	if (path.startsWith(metadata_path)) return resourceAt(path.slice(metadata_path.length));
	if (path === "/healthz") return { kind: "health", name: "healthz" };
	if (path === "/metrics") return { kind: "metrics" };
	if (path === "/readyz") return { kind: "health", name: "readyz" };
	if (path === "/api" || path.startsWith("/api/")) return { kind: "admin" };
	if (path === "/sign-in" || path.startsWith("/sign-in/")) return { kind: "sign_in" };
	if (path.startsWith("/approvals/")) return { kind: "approvals" };
	if (path === "/oauth/callback" || path === "/oauth/connect") return { kind: "consent" };
	if (path.startsWith("/oauth/callback/")) return { kind: "consent" };
	if (path.startsWith("/oauth/connect/")) return { kind: "consent" };
	if (path.startsWith("/oauth/") || login_documents.includes(path)) return { kind: "login" };
	return { kind: dashboard_path.test(path) ? "dashboard" : "none" };
}

/** Paths of MCP addresses that were asked for: the same few again and again. */
const known_endpoints = new Map<string, Route>();
const known_endpoints_max = 1_000;

function remember(path: string, route: Route): void {
	if (known_endpoints.size >= known_endpoints_max) known_endpoints.clear();
	known_endpoints.set(path, route);
}

/** The canonical path of an MCP address. */
export function endpointPath({ name, part }: { name: string; part: EndpointPart }): string {
	return name === combined_endpoint ? `/${part}` : `/${name}/${part}`;
}

function endpointAt(path: string): { name: string; part: EndpointPart } | undefined {
	const combined = combined_path.exec(path);
	if (combined !== null) return { name: combined_endpoint, part: partOf(combined[1]) };
	const endpoint = endpoint_path.exec(path);
	if (endpoint === null) return undefined;
	return { name: endpoint[1] as string, part: partOf(endpoint[2]) };
}

function resourceAt(path: string): Route {
	if (path === "" || path === "/") return { kind: "resource", of: undefined };
	const of = endpointAt(path);
	return of === undefined ? { kind: "none" } : { kind: "resource", of };
}

/** The patterns let nothing else through. */
function partOf(text: string | undefined): EndpointPart {
	return text as EndpointPart;
}

/** Answers with a small JSON document, and the given headers if any. */
export function answerJson(
	response: ServerResponse,
	status: number,
	body: object,
	headers: Readonly<Record<string, string>> = {},
): void {
	const bytes = Buffer.from(JSON.stringify(body));
	response.writeHead(status, {
		...headers,
		"content-type": "application/json",
		"content-length": bytes.length,
		"cache-control": "no-store",
	});
	response.end(bytes);
}
