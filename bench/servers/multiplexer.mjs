/**
 * The least that can stand between HTTP clients and one server: it gives each request an id of
 * its own, passes it on and puts the client's id back. No checks, no limits, no eras, no
 * deadlines. Messages are parsed and written again, one write each.
 *
 *     multiplexer.mjs --url http://127.0.0.1:PORT/        to a server over HTTP
 *     multiplexer.mjs PROGRAM ARG ...                      to a server over standard streams
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { Pool } from "undici";
import { listenFree } from "./listen-free.mjs";

const args = process.argv.slice(2);
const forward = args[0] === "--url" ? overHttp(args[1]) : overStdio(args);

function overStdio([program, ...rest]) {
	const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
	const waiting = new Map();
	let last_id = 0;
	let begun = "";
	child.stdout.setEncoding("utf8");
	child.stdout.on("data", (chunk) => {
		const lines = (begun + chunk).split("\n");
		begun = lines.pop();
		for (const line of lines) {
			const reply = JSON.parse(line);
			const { id, done } = waiting.get(reply.id);
			waiting.delete(reply.id);
			reply.id = id;
			done(reply);
		}
	});
	return (message, done) => {
		last_id += 1;
		waiting.set(last_id, { id: message.id, done });
		message.id = last_id;
		child.stdin.write(`${JSON.stringify(message)}\n`);
	};
}

function overHttp(url) {
	const { origin, pathname } = new URL(url);
	const pool = new Pool(origin, { connections: 64 });
	const headers = { "content-type": "application/json", accept: "application/json" };
	let last_id = 0;
	return async (message, done) => {
		const { id } = message;
		last_id += 1;
		message.id = last_id;
		const body = JSON.stringify(message);
		const answer = await pool.request({ path: pathname, method: "POST", headers, body });
		const reply = JSON.parse(await answer.body.text());
		reply.id = id;
		done(reply);
	};
}

const server = createServer((request, response) => {
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (chunk) => {
		body += chunk;
	});
	request.on("end", () => {
		forward(JSON.parse(body), (reply) => {
			const text = JSON.stringify(reply);
			const length = Buffer.byteLength(text);
			response.writeHead(200, { "content-type": "application/json", "content-length": length });
			response.end(text);
		});
	});
});
listenFree(server);
