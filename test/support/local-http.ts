import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A request that has been read whole. */
export interface SeenRequest {
	readonly method: string;
	readonly url: string;
	readonly headers: IncomingMessage["headers"];
	/** The parsed body; undefined when there is none. */
	readonly body: { id?: number | string; method?: string; params?: unknown } | undefined;
}

/** An HTTP server for one test. Every request is kept in `seen`, in order. */
export async function serveHttp(
	t: TestContext,
	answer: (request: SeenRequest, response: ServerResponse) => void,
): Promise<{ origin: string; seen: SeenRequest[] }> {
	const seen: SeenRequest[] = [];
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const text = Buffer.concat(chunks).toString("utf8");
		const { method = "", url = "", headers } = request;
		const body = text === "" ? undefined : JSON.parse(text);
		seen.push({ method, url, headers, body });
		answer(seen.at(-1) as SeenRequest, response);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { "content-type": "application/json" });
	response.end(JSON.stringify(body));
}

/** Does what a plain legacy server does with everything but calls. True when it was that. */
export function answerLegacyBasics(request: SeenRequest, response: ServerResponse): boolean {
	const { body, method } = request;
	if (method !== "POST") response.writeHead(405).end();
	else if (body?.method === "server/discover") response.writeHead(404).end("not found");
	else if (body?.method === "initialize") {
		const result = { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: {} };
		answerJson(response, 200, { jsonrpc: "2.0", id: body.id, result });
	} else if (body?.id === undefined) response.writeHead(202).end();
	else return false;
	return true;
}

/** A tool's result with one text. */
export function textResult(id: unknown, text: string): object {
	return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } };
}
