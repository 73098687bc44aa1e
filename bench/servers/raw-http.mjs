/**
 * A JSON-RPC handler on `node:http` and nothing else: what the listener alone costs. With a file as
 * its argument it sends that reply to everybody, with their own id in it.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { listenFree } from "./listen-free.mjs";

const file = process.argv[2];
const prepared = file === undefined ? undefined : prepare(file);

const server = createServer((request, response) => {
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (chunk) => {
		body += chunk;
	});
	request.on("end", () => {
		const { id, params } = JSON.parse(body);
		if (prepared !== undefined) {
			send(response, Buffer.concat([prepared[0], Buffer.from(String(id)), prepared[1]]));
			return;
		}
		const content = [{ type: "text", text: params.arguments.text }];
		send(response, JSON.stringify({ jsonrpc: "2.0", id, result: { content } }));
	});
});

function send(response, reply) {
	const headers = {
		"content-type": "application/json",
		"content-length": Buffer.byteLength(reply),
	};
	response.writeHead(200, headers).end(reply);
}

/** What stands before and behind the id that the file was asked for with. */
function prepare(file) {
	const parts = readFileSync(file, "utf8").split("123456789");
	return [Buffer.from(parts[0]), Buffer.from(parts.slice(1).join("123456789"))];
}
listenFree(server);
