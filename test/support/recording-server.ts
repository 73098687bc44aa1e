import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A server elsewhere that writes down every byte it hears. */
export async function recordingServer(t: TestContext) {
	const heard: string[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const body = Buffer.concat(chunks).toString();
			const { rawHeaders: raw } = request;
			const head = raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1]}`] : []));
			heard.push([`${request.method} ${request.url}`, ...head, body].join("\n"));
			if (request.method !== "POST") return response.writeHead(405).end();
			const { id, method } = JSON.parse(body) as { id?: number; method: string };
			const results: Record<string, object> = {
				initialize: {
					protocolVersion: "2025-11-25",
					capabilities: { tools: {} },
					serverInfo: { name: "recorder", version: "1" },
				},
				"tools/list": { tools: [{ name: "hello", inputSchema: { type: "object" } }] },
				"tools/call": { content: [{ type: "text", text: "hello there" }] },
			};
			if (id === undefined) return response.writeHead(202).end();
			const result = results[method];
			response.setHeader("content-type", "application/json");
			const error = { code: -32_601, message: "Method not found" };
			return response.end(
				JSON.stringify({ jsonrpc: "2.0", id, ...(result ? { result } : { error }) }),
			);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, heard };
}
