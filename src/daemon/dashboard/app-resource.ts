import type { AppDomains } from "../../admin/app-frames.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";

/** An MCP App as its resource has it (SEP-1865). */
export interface AppResource {
	readonly html: string;
	readonly domains: AppDomains;
}

const html_chars_max = 8 * 1024 * 1024;
const domains_max = 50;

/** Takes the page and what it wants to reach out of the reply to `resources/read`. */
export function parseApp(reply: Buffer, uri: string): Result<AppResource, AdminProblem> {
	const message = JSON.parse(reply.toString("utf8")) as unknown;
	const error = member(message, "error");
	if (error !== undefined) {
		const text = member(error, "message");
		return fail(problemOf("rpc_error", typeof text === "string" ? text : "It was refused."));
	}
	const contents = member(member(message, "result"), "contents");
	const list: unknown[] = Array.isArray(contents) ? contents : [];
	const content = list.find((one) => member(one, "uri") === uri) ?? list[0];
	const text = member(content, "text");
	const blob = member(content, "blob");
	const html =
		typeof text === "string"
			? text
			: typeof blob === "string"
				? Buffer.from(blob, "base64").toString("utf8")
				: undefined;
	const type = member(content, "mimeType");
	if (html === undefined || typeof type !== "string" || !type.startsWith("text/html")) {
		return fail(problemOf("invalid_request", "This resource is no page of an MCP App."));
	}
	if (html.length > html_chars_max) {
		return fail(problemOf("reply_too_large", "This MCP App is too large to be shown."));
	}
	const csp = member(member(member(content, "_meta"), "ui"), "csp");
	const domains = {
		connect: texts(member(csp, "connectDomains")),
		resource: texts(member(csp, "resourceDomains")),
		frame: texts(member(csp, "frameDomains")),
	};
	return succeed({ html, domains });
}

function member(value: unknown, name: string): unknown {
	if (typeof value !== "object" || value === null) return undefined;
	return (value as Record<string, unknown>)[name];
}

function texts(value: unknown): string[] {
	if (!Array.isArray(value)) return [];
	return value.slice(0, domains_max).filter((one) => typeof one === "string");
}
