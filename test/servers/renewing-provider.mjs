// An MCP server's metadata and an authorization server of which tokens are only renewed: each
// refresh token, whatever it is, is good once, and so is the one that is given for it. Every
// renewal takes a moment. It prints its issuer as a line; a line that it is given is answered with
// what was asked since the last one, as JSON: how many requests of each kind there were, how many
// renewals at one moment at most, and how often a refresh token came that was not good any more.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const hold_ms = Number(process.argv[2] ?? 5);
const used = new Set();
let parallel = 0;
let seen = { metadata: 0, renewals: 0, peak: 0, refused: 0 };

const server = createServer(async (request, response) => {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const answer = (status, body) => {
		response.writeHead(status, { "content-type": "application/json" });
		response.end(JSON.stringify(body));
	};
	if (request.url !== "/token") {
		seen.metadata += 1;
		const known = documents[request.url];
		answer(known === undefined ? 404 : 200, known ?? {});
		return;
	}
	parallel += 1;
	seen.peak = Math.max(seen.peak, parallel);
	seen.renewals += 1;
	await new Promise((resolve) => setTimeout(resolve, hold_ms));
	parallel -= 1;
	const token = new URLSearchParams(Buffer.concat(chunks).toString()).get("refresh_token");
	if (used.has(token)) {
		seen.refused += 1;
		answer(400, { error: "invalid_grant" });
		return;
	}
	used.add(token);
	const next = { access_token: `access-${token}`, refresh_token: `${token}+` };
	answer(200, { ...next, token_type: "Bearer", expires_in: 3600 });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const documents = {
	"/.well-known/oauth-protected-resource/mcp": {
		resource: `${issuer}/mcp`,
		authorization_servers: [issuer],
	},
	"/.well-known/oauth-authorization-server": {
		issuer,
		authorization_endpoint: `${issuer}/authorize`,
		token_endpoint: `${issuer}/token`,
		code_challenge_methods_supported: ["S256"],
	},
};
process.stdout.write(`${issuer}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
	process.stdout.write(`${JSON.stringify(seen)}\n`);
	seen = { metadata: 0, renewals: 0, peak: 0, refused: 0 };
}
process.exit(0);
