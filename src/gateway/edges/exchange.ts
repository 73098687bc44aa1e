import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "../../identity/principal.ts";
import type { Answered } from "../answered.ts";
import type { Endpoint } from "../endpoint.ts";

/** One HTTP request at an MCP address, past the guard. */
export interface Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	readonly endpoint: Endpoint;
	/** Headers every answer to it carries (CORS). */
	readonly headers: Readonly<Record<string, string>>;
	/** Who is calling. */
	readonly who: Principal;
	/** The id of that principal. */
	readonly principal: string;
	/** What was authenticated in the principal's name, where there is identity. */
	readonly client: string | undefined;
}

/** What a request is noted with that its edge answers without making a call of it. */
export function askedBy({
	request,
	endpoint,
	who,
}: Pick<Exchange, "request" | "endpoint" | "who">): Omit<Answered, "outcome"> {
	return { request, endpoint: endpoint.name, is_offered: true, who };
}

/** True when the client can take an event stream as an answer. */
export function acceptsStreams(request: IncomingMessage): boolean {
	return accepts(request, "text/event-stream");
}

/** True when the client can take plain JSON as an answer. */
export function acceptsJson(request: IncomingMessage): boolean {
	return accepts(request, "application/json");
}

/** The trace that a client's HTTP library goes on with (W3C Trace Context). */
export function traceHeader({ headers }: IncomingMessage): string | undefined {
	const { traceparent } = headers;
	return typeof traceparent === "string" ? traceparent : undefined;
}

function accepts(request: IncomingMessage, type: string): boolean {
	const header = request.headers.accept;
	if (header === undefined) return false;
	if (header.includes(type) || header.includes("*/*")) return true;
	return header.includes(`${type.slice(0, type.indexOf("/"))}/*`);
}
