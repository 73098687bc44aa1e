/**
 * An MCP server of one file and no packages, over standard input and output, or over HTTP with
 * `--http PORT`. It runs as the fleet's remote server, and in its container.
 */
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const tools = [
	{
		name: "berth",
		description: "Says where this server lies: its user, its platform, its process.",
		inputSchema: { type: "object" },
	},
];

const methods = {
	initialize: ({ protocolVersion }) => ({
		protocolVersion,
		capabilities: { tools: {} },
		serverInfo: { name: "harbour", version: "1.0.0" },
	}),
	ping: () => ({}),
	"tools/list": () => ({ tools }),
	"tools/call": ({ name }) => {
		if (name !== "berth") throw new Error(`There is no tool "${name}".`);
		const text = `user ${process.getuid?.()}, ${process.platform}, process ${process.pid}`;
		return { content: [{ type: "text", text }] };
	},
};

/** The answer to a message; undefined for one that wants none. */
function answer({ id, method, params }) {
	if (id === undefined) return undefined;
	const run = methods[method];
	if (run === undefined) return { jsonrpc: "2.0", id, error: { code: -32601, message: method } };
	try {
		return { jsonrpc: "2.0", id, result: run(params ?? {}) };
	} catch (error) {
		return { jsonrpc: "2.0", id, error: { code: -32602, message: error.message } };
	}
}

async function serve(request, response) {
	if (request.method !== "POST") return response.writeHead(405).end();
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const reply = answer(JSON.parse(Buffer.concat(chunks).toString()));
	if (reply === undefined) return response.writeHead(202).end();
	response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
}

const at = process.argv.indexOf("--http");
if (at === -1) {
	createInterface({ input: process.stdin }).on("line", (line) => {
		const reply = answer(JSON.parse(line));
		if (reply !== undefined) process.stdout.write(`${JSON.stringify(reply)}\n`);
	});
} else {
	const server = createServer((request, response) => {
		serve(request, response).catch(() => response.writeHead(400).end());
	});
	server.listen(Number(process.argv[at + 1]), "127.0.0.1", () => {
		process.stdout.write(`http://127.0.0.1:${server.address().port}/mcp\n`);
	});
}
