/** A JSON-RPC handler on `node:http` and nothing else: what the listener alone costs. */
import { createServer } from "node:http";
import { listenFree } from "./listen-free.mjs";

const server = createServer((request, response) => {
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (chunk) => {
		body += chunk;
	});
	request.on("end", () => {
		const { id, params } = JSON.parse(body);
		const content = [{ type: "text", text: params.arguments.text }];
		const reply = JSON.stringify({ jsonrpc: "2.0", id, result: { content } });
		const headers = {
			"content-type": "application/json",
			"content-length": Buffer.byteLength(reply),
		};
		response.writeHead(200, headers).end(reply);
	});
});
listenFree(server);
