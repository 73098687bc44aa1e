// A small MCP server over its standard streams. Its shelf has two books; looking for any other
// fails, which is what the agent of this example does again and again.
import { createInterface } from "node:readline";

const books = { tides: "High water at four.", knots: "The bowline holds." };
const text_schema = { type: "object", properties: { title: { type: "string" } } };
const tools = [
	{ name: "read_book", description: "The text of a book.", inputSchema: text_schema },
	{ name: "burn_book", description: "Destroys a book.", inputSchema: text_schema },
];

function answer(method, params) {
	if (method === "initialize") {
		return {
			protocolVersion: params.protocolVersion,
			capabilities: { tools: {} },
			serverInfo: { name: "shelf", version: "1.0.0" },
		};
	}
	if (method === "tools/list") return { tools };
	if (method === "ping") return {};
	if (method !== "tools/call") return undefined;
	// A server that traces goes on from here: this is the span of the gateway that called it.
	const trace = params._meta?.traceparent;
	if (trace !== undefined) process.stderr.write(`called as part of ${trace}\n`);
	const book = books[params.arguments?.title];
	if (book !== undefined) return { content: [{ type: "text", text: book }] };
	return { isError: true, content: [{ type: "text", text: "There is no such book." }] };
}

createInterface({ input: process.stdin }).on("line", (line) => {
	const { id, method, params = {} } = JSON.parse(line);
	if (id === undefined) return;
	const result = answer(method, params);
	const error = { code: -32601, message: `Method not found: ${method}` };
	const reply = result === undefined ? { error } : { result };
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...reply })}\n`);
});
