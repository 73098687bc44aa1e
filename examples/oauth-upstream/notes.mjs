/**
 * Somebody else's MCP server: notes, of whoever has the account that a call's token is of.
 *
 *     node notes.mjs
 *
 * PORT is where it listens (9400), ACCOUNTS the authorization server, which it asks about tokens.
 */
import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 9400);
const accounts = process.env.ACCOUNTS ?? "http://127.0.0.1:9401";
const address = `http://127.0.0.1:${port}`;
const metadata_path = "/.well-known/oauth-protected-resource/mcp";
const credentials = Buffer.from("notes:notes-and-accounts-know-this").toString("base64");

const notes = new Map();
const notesOf = (account) => {
	if (!notes.has(account)) notes.set(account, [`This is the notebook of ${account}.`]);
	return notes.get(account);
};

const text = (words) => ({ content: [{ type: "text", text: words }] });
const tools = {
	list_notes: {
		description: "What stands in the caller's notebook.",
		inputSchema: { type: "object" },
		call: (account) => text(notesOf(account).join("\n")),
	},
	add_note: {
		description: "Writes a line into the caller's notebook.",
		inputSchema: {
			type: "object",
			properties: { text: { type: "string" } },
			required: ["text"],
		},
		call(account, { text: line }) {
			notesOf(account).push(line);
			return text(`${notesOf(account).length} notes`);
		},
	},
};

/** Whose account a token is of; undefined where it is not, or no longer, good. */
async function accountOf(request) {
	const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
	if (token === undefined) return undefined;
	const answer = await fetch(`${accounts}/token/introspection`, {
		method: "POST",
		headers: { authorization: `Basic ${credentials}` },
		body: new URLSearchParams({ token }),
	});
	const { active, aud, sub } = await answer.json();
	return active && aud === `${address}/mcp` ? sub : undefined;
}

function answer(method, params, account) {
	if (method === "initialize") {
		return {
			protocolVersion: "2025-11-25",
			capabilities: { tools: {} },
			serverInfo: { name: "notes", version: "1.0.0" },
		};
	}
	if (method === "tools/list") {
		const list = Object.entries(tools).map(([name, { call: _, ...tool }]) => ({ name, ...tool }));
		return { tools: list };
	}
	if (method !== "tools/call") return undefined;
	return tools[params.name]?.call(account, params.arguments ?? {});
}

async function serve(request, response) {
	const end = (status, headers = {}) => response.writeHead(status, headers).end();
	const json = (body) => {
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify(body));
	};
	if (request.url === metadata_path) {
		const scopes_supported = ["notes.read", "notes.write"];
		const resource = `${address}/mcp`;
		return json({ resource, authorization_servers: [accounts], scopes_supported });
	}
	if (request.url !== "/mcp") return end(404);
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const account = await accountOf(request).catch(() => undefined);
	if (account === undefined) {
		const challenge = `Bearer resource_metadata="${address}${metadata_path}", scope="notes.read notes.write"`;
		return end(401, { "www-authenticate": challenge });
	}
	if (request.method !== "POST") return end(405);
	const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
	if (id === undefined) return end(202);
	const result = answer(method, params, account);
	const error = { code: -32601, message: "There is no such thing here." };
	return json({ jsonrpc: "2.0", id, ...(result === undefined ? { error } : { result }) });
}

const server = createServer((request, response) => void serve(request, response));
server.listen(port, "127.0.0.1", () => console.log(`notes at ${address}/mcp`));
