// A service of somebody else that people have accounts at: an MCP server whose one tool says whose
// account it was called with, and its authorization server, oidc-provider, in a process of its own.
// It prints its issuer as a line. Lines that it is given are commands, each answered with one line:
// `tokens NAME`: how many tokens of an account are good; `requests PATH`: how often it was asked;
// `sent TEXT`: how many requests for the server had a text among their headers. With the argument
// `exchanges=ISSUER` it takes ID tokens of that issuer in exchange for its own tokens (RFC 8693).
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { errors, Provider } from "oidc-provider";

// It would say that it keeps everything in memory, which is what a test wants, and some of that
// between our answers.
console.warn = () => {};
console.info = () => {};

const token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const id_token_type = "urn:ietf:params:oauth:token-type:id_token";
const [trusted] = process.argv.flatMap((text) => text.match(/^exchanges=(.+)$/)?.[1] ?? []);

const asked = [];
/** The headers of every request for the server. */
const sent = [];
/** Every token that was given; which of them are good only the provider knows. */
const given = new Map();
const server = createServer((request, response) => {
	const { pathname } = new URL(request.url, issuer);
	asked.push(pathname);
	if (pathname === "/mcp") void serveMcp(request, response);
	else if (pathname.startsWith("/interaction/")) {
		serveInteraction(request, response).catch(({ message }) => {
			response.writeHead(400).end(message);
		});
	} else if (pathname === "/.well-known/oauth-protected-resource/mcp") {
		const scopes_supported = ["notes.read", "notes.write"];
		const document = { resource, authorization_servers: [issuer], scopes_supported };
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify(document));
	} else void provide(request, response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const resource = `${issuer}/mcp`;

const provider = new Provider(issuer, {
	clients: [],
	scopes: ["openid", "offline_access", "notes.read", "notes.write"],
	findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
	issueRefreshToken: () => true,
	pkce: { required: () => true },
	interactions: { url: (_, { uid }) => `/interaction/${uid}` },
	features: {
		devInteractions: { enabled: false },
		registration: { enabled: true },
		revocation: { enabled: !process.argv.includes("keeps-tokens") },
		resourceIndicators: {
			enabled: true,
			defaultResource: () => resource,
			useGrantedResource: () => true,
			getResourceServerInfo: () => ({
				scope: "notes.read notes.write",
				accessTokenFormat: "opaque",
			}),
		},
	},
});
for (const [event, kind] of [
	["access_token", "AccessToken"],
	["refresh_token", "RefreshToken"],
]) {
	provider.on(`${event}.saved`, ({ jti, accountId }) => given.set(jti, { kind, accountId }));
}
if (trusted !== undefined) {
	const parameters = ["requested_token_type", "subject_token", "subject_token_type"];
	provider.registerGrantType(token_exchange, exchange, [...parameters, "scope", "resource"]);
}
const provide = provider.callback();
process.stdout.write(`${issuer}\n`);

for await (const line of createInterface({ input: process.stdin })) {
	const [command, of] = line.split(" ");
	const count =
		command === "tokens"
			? await goodTokensOf(of)
			: command === "sent"
				? sent.filter((text) => text.includes(of)).length
				: countOf(asked, of);
	process.stdout.write(`${count}\n`);
}
process.exit(0);

function countOf(all, one) {
	return all.filter((other) => other === one).length;
}

async function goodTokensOf(account) {
	const theirs = [...given].filter(([, { accountId }]) => accountId === account);
	const found = await Promise.all(theirs.map(([jti, { kind }]) => provider[kind].find(jti)));
	return found.filter((token) => token?.isValid).length;
}

/** The page on which a person says who they are there, and agrees. */
async function serveInteraction(request, response) {
	if (request.method === "GET") {
		response.writeHead(200, { "content-type": "text/html" });
		response.end('<form method="post"><input name="account"><button>Allow</button></form>');
		return;
	}
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get("account");
	if (accountId === "nobody") {
		await provider.interactionFinished(request, response, { error: "access_denied" });
		return;
	}
	const { params } = await provider.interactionDetails(request, response);
	const grant = new provider.Grant({ accountId, clientId: params.client_id });
	grant.addOIDCScope(params.scope ?? "");
	grant.addResourceScope(resource, params.scope ?? "");
	const consent = { grantId: await grant.save() };
	await provider.interactionFinished(request, response, { login: { accountId }, consent });
}

/** Takes the word of another issuer about somebody for a token of ours. */
async function exchange(context) {
	const { params, client } = context.oidc;
	if (params.subject_token_type !== id_token_type || params.resource !== resource) {
		throw new errors.InvalidRequest("only an ID token is exchanged, for our own server");
	}
	const keys = createRemoteJWKSet(new URL(`${trusted}/jwks`));
	const { payload } = await jwtVerify(params.subject_token, keys, { issuer: trusted }).catch(() => {
		throw new errors.InvalidGrant("no good ID token of an issuer that is known");
	});
	const about = { accountId: payload.sub, clientId: client.clientId };
	const grant = new provider.Grant(about);
	grant.addResourceScope(resource, "notes.read");
	const format = { scope: "notes.read notes.write", accessTokenFormat: "opaque" };
	const token = new provider.AccessToken({
		client,
		accountId: payload.sub,
		grantId: await grant.save(),
		gty: "token_exchange",
		scope: "notes.read",
		resourceServer: new provider.ResourceServer(resource, format),
	});
	context.body = {
		access_token: await token.save(),
		issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
		token_type: "Bearer",
		expires_in: token.expiration,
	};
}

async function serveMcp(request, response) {
	sent.push(JSON.stringify(request.headers));
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const found = await provider.AccessToken.find(
		(request.headers.authorization ?? "").replace(/^Bearer /, ""),
	);
	if (found === undefined) {
		const metadata = `${issuer}/.well-known/oauth-protected-resource/mcp`;
		const challenge = `Bearer resource_metadata="${metadata}", scope="notes.read"`;
		response.writeHead(401, { "www-authenticate": challenge }).end();
		return;
	}
	if (request.method !== "POST") {
		response.writeHead(405).end();
		return;
	}
	const { id, method } = JSON.parse(Buffer.concat(chunks).toString());
	if (id === undefined) {
		response.writeHead(202).end();
		return;
	}
	const results = {
		initialize: {
			protocolVersion: "2025-11-25",
			capabilities: { tools: {} },
			serverInfo: { name: "notes", version: "1" },
		},
		"tools/list": { tools: [{ name: "whoami", inputSchema: { type: "object" } }] },
		"tools/call": { content: [{ type: "text", text: `the notes of ${found.accountId}` }] },
	};
	const result = results[method];
	const outcome = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
	response.writeHead(200, { "content-type": "application/json" });
	response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
}
