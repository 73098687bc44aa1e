/**
 * An MCP client of one file and no packages.
 *
 *     node client.mjs login                         logs in with a browser, prints a token
 *     MOORAGE_KEY=KEY node client.mjs tools         prints what its holder is offered
 *     MOORAGE_KEY=KEY node client.mjs TOOL JSON     calls a tool
 *
 * MOORAGE_KEY is an API key or a token; MOORAGE_URL the gateway, http://127.0.0.1:8642 if not given.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";

const address = new URL("/mcp", process.env.MOORAGE_URL ?? "http://127.0.0.1:8642");
const revision = "2026-07-28";

async function json(response) {
	if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
	return response.json();
}

/** Waits on a port of this machine for the browser to come back from the gateway's pages. */
async function listen() {
	const { promise: answered, resolve } = Promise.withResolvers();
	const server = createServer((request, response) => {
		const url = new URL(request.url, "http://127.0.0.1");
		response.writeHead(url.pathname === "/callback" ? 200 : 404, { connection: "close" });
		response.end("You can close this page.\n");
		if (url.pathname === "/callback") resolve(url.searchParams);
	});
	await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
	const back = `http://127.0.0.1:${server.address().port}/callback`;
	return { back, answered: answered.finally(() => server.close()) };
}

/** Authorization code with PKCE, at the server that the address itself names. */
async function login() {
	const metadata = new URL(`/.well-known/oauth-protected-resource${address.pathname}`, address);
	const { resource, authorization_servers } = await json(await fetch(metadata));
	const [issuer] = authorization_servers;
	const known = await json(await fetch(`${issuer}/.well-known/oauth-authorization-server`));
	const { back, answered } = await listen();
	const code_verifier = randomBytes(32).toString("base64url");
	const state = randomBytes(16).toString("base64url");
	const client = { client_id: "team", redirect_uri: back, resource };
	const page = new URL(known.authorization_endpoint);
	page.search = new URLSearchParams({
		...client,
		state,
		response_type: "code",
		code_challenge: createHash("sha256").update(code_verifier).digest("base64url"),
		code_challenge_method: "S256",
	});
	console.error(`Open ${page}`);
	const answer = await answered;
	if (answer.get("state") !== state || answer.get("iss") !== known.issuer) {
		throw new Error("This answer is not for us.");
	}
	const code = answer.get("code");
	if (code === null) throw new Error(`Not allowed: ${answer.get("error")}`);
	const body = { ...client, grant_type: "authorization_code", code, code_verifier };
	const token_request = { method: "POST", body: new URLSearchParams(body) };
	return (await json(await fetch(known.token_endpoint, token_request))).access_token;
}

/** One request of the 2026-07-28 revision; progress goes to standard error. */
async function ask(method, name, given) {
	const _meta = {
		progressToken: "progress",
		"io.modelcontextprotocol/protocolVersion": revision,
		"io.modelcontextprotocol/clientInfo": { name: "team-client", version: "1.0.0" },
		"io.modelcontextprotocol/clientCapabilities": {},
	};
	const response = await fetch(address, {
		method: "POST",
		headers: {
			authorization: `Bearer ${process.env.MOORAGE_KEY}`,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": revision,
			"mcp-method": method,
			...(name === undefined ? {} : { "mcp-name": name }),
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...given, _meta } }),
	});
	const is_stream = response.headers.get("content-type")?.startsWith("text/event-stream");
	if (!is_stream) return JSON.parse(await response.text());
	let rest = "";
	for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop();
		for (const line of lines.filter((one) => /^data: ?\{/.test(one))) {
			const message = JSON.parse(line.slice(5));
			if (message.id === 1) return message;
			console.error(message.params?.message ?? message.method);
		}
	}
	throw new Error("The answer broke off.");
}

const [what, args = "{}"] = process.argv.slice(2);
if (what === "login") console.log(await login());
else {
	const { result, error } =
		what === "tools"
			? await ask("tools/list", undefined, {})
			: await ask("tools/call", what, { name: what, arguments: JSON.parse(args) });
	if (error !== undefined) console.log(error.message);
	else for (const one of result.tools ?? result.content) console.log(one.name ?? one.text);
	process.exitCode = error === undefined && result.isError !== true ? 0 : 1;
}
