// An agent that does not notice that it is going round in circles: it asks for a book that is not
// there, forty times, tries a tool that nobody offers, and one that it may not use. Every call is
// part of one trace, which begins here.
import { randomBytes } from "node:crypto";

const address = new URL("/mcp", process.argv[2] ?? "http://127.0.0.1:8642");
const trace_id = randomBytes(16).toString("hex");
const span_id = randomBytes(8).toString("hex");

async function call(id, name, args) {
	const _meta = {
		traceparent: `00-${trace_id}-${span_id}-01`,
		"io.modelcontextprotocol/protocolVersion": "2026-07-28",
		"io.modelcontextprotocol/clientInfo": { name: "looping-agent", version: "1.0.0" },
		"io.modelcontextprotocol/clientCapabilities": {},
	};
	const params = { name, arguments: args, _meta };
	const response = await fetch(address, {
		method: "POST",
		headers: {
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": "2026-07-28",
			"mcp-method": "tools/call",
			"mcp-name": name,
		},
		body: JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params }),
	});
	return await response.text();
}

await call(1, "shelf__read_book", { title: "tides" });
for (let round = 2; round < 42; round += 1) {
	await call(round, "shelf__read_book", { title: "the one about the whale" });
}
await call(42, "shelf__find_book", { title: "whale" });
for (let round = 43; round < 55; round += 1) {
	await call(round, "shelf__burn_book", { title: "knots" });
}
console.log(trace_id);
