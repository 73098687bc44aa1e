/**
 * The authorization server of somebody else's service, oidc-provider, with people who have accounts
 * there. Anybody is let in as whoever they say they are: it is an example.
 *
 *     node accounts.mjs
 *
 * PORT is where it listens (9401), NOTES the address that its tokens are for, TOKEN_SECONDS how
 * long an access token is good (60). It says in a line each what it has given to whom.
 */
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const port = Number(process.env.PORT ?? 9401);
const resource = process.env.NOTES ?? "http://127.0.0.1:9400/mcp";
const token_seconds = Number(process.env.TOKEN_SECONDS ?? 60);
const issuer = `http://127.0.0.1:${port}`;
const scopes = "notes.read notes.write";

// It would say that it keeps everything in memory. Here that is meant.
console.warn = () => {};
console.info = () => {};

const provider = new Provider(issuer, {
	// The notes themselves, which ask whether a token is good.
	clients: [
		{
			client_id: "notes",
			client_secret: "notes-and-accounts-know-this",
			redirect_uris: [],
			response_types: [],
			grant_types: [],
		},
	],
	scopes: ["openid", "offline_access", ...scopes.split(" ")],
	findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
	issueRefreshToken: () => true,
	// Each refresh token is good once.
	rotateRefreshToken: true,
	pkce: { required: () => true },
	ttl: { AccessToken: token_seconds, RefreshToken: 86_400, Interaction: 600, Session: 600 },
	interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
	features: {
		devInteractions: { enabled: false },
		registration: { enabled: true },
		revocation: { enabled: true },
		introspection: {
			enabled: true,
			allowedPolicy: (_context, { clientId }) => clientId === "notes",
		},
		resourceIndicators: {
			enabled: true,
			defaultResource: () => resource,
			useGrantedResource: () => true,
			getResourceServerInfo: () => ({
				scope: scopes,
				accessTokenFormat: "opaque",
				accessTokenTTL: token_seconds,
			}),
		},
	},
});
provider.on("grant.success", ({ oidc }) => {
	console.log(`${oidc.params.grant_type} for ${oidc.entities.Account?.accountId}`);
});
provider.on("grant.revoked", (_context, _id) => console.log("revoked"));
const provide = provider.callback();

const server = createServer((request, response) => {
	const answer = request.url.startsWith("/interaction/") ? interact : provide;
	void answer(request, response)?.catch(({ message }) => response.writeHead(400).end(message));
});
server.listen(port, "127.0.0.1", () => console.log(`accounts at ${issuer}`));

/** The page on which people say who they are here, and what they think of being asked. */
async function interact(request, response) {
	const { params } = await provider.interactionDetails(request, response);
	if (request.method === "GET") {
		response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
		response.end(`<!doctype html><title>Accounts</title><link rel="icon" href="data:,">
<h1>Accounts</h1><p>A program wants to use your notes.</p><form method="post">
<label>Your account <input name="account" required pattern="[a-z.]+"></label>
<button name="answer" value="allow">Allow</button></form>
<form method="post"><button name="answer" value="no">Refuse</button></form>`);
		return;
	}
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	const form = new URLSearchParams(Buffer.concat(chunks).toString());
	const accountId = form.get("account");
	if (form.get("answer") !== "allow" || !/^[a-z.]+$/.test(accountId ?? "")) {
		await provider.interactionFinished(request, response, { error: "access_denied" });
		return;
	}
	const grant = new provider.Grant({ accountId, clientId: params.client_id });
	grant.addOIDCScope(params.scope ?? "");
	grant.addResourceScope(resource, scopes);
	const consent = { grantId: await grant.save() };
	await provider.interactionFinished(request, response, { login: { accountId }, consent });
}
