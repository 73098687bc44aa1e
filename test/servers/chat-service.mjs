// A chat in a process of its own: `chat-service.mjs slack|discord|teams`. It takes what bots post
// as the chat's documentation says, holds it against the limits that stand there, and shows and
// clicks for tests: GET /channel, POST /click {"at","user","button"}, POST /send
// {"at","user","text"}. Both of the latter post to the relay at `at`, signed as the chat signs.
import { createServer } from "node:http";

const chat = await import(`./chat/${process.argv[2]}.mjs`);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function readBody(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	return Buffer.concat(chunks).toString();
}

/** What people see: one entry a message, and what only one of them was told. */
const channel = [];

const server = createServer(async (request, response) => {
	const reply = (status, body) => {
		response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
	};
	try {
		const body = await readBody(request);
		if (request.url === "/channel") return reply(200, channel);
		if (request.url === "/click" || request.url === "/send") {
			return reply(200, await chat.act(channel, JSON.parse(body)));
		}
		const { status, json } = chat.take(channel, request, JSON.parse(body));
		say({ kind: "posted", path: request.url, status });
		reply(status, json);
	} catch (error) {
		say({ kind: "wrong", message: String(error.stack) });
		reply(500, { message: error.message });
	}
});
server.listen(0, "127.0.0.1", () => {
	say({ kind: "listening", port: server.address().port, ...chat.secrets });
});
