// An identity provider of somebody else: oidc-provider in a process of its own. It prints its
// issuer as a line, and takes commands as lines: `rotate` makes a new key the only one.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

// It would say that it keeps everything in memory, which is what a test wants.
console.warn = () => {};

const server = createServer((request, response) => serve(request, response));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

let count = 0;
let serve = await provide();
process.stdout.write(`${issuer}\n`);

for await (const line of createInterface({ input: process.stdin })) {
	if (line !== "rotate") continue;
	serve = await provide();
	process.stdout.write("rotated\n");
}
process.exit(0);

async function provide() {
	count += 1;
	const { privateKey } = await generateKeyPair("RS256", { extractable: true });
	const key = { ...(await exportJWK(privateKey)), kid: `key-${count}`, alg: "RS256", use: "sig" };
	const machine = {
		client_secret: "s3cret",
		grant_types: ["client_credentials"],
		redirect_uris: [],
		response_types: [],
		token_endpoint_auth_method: "client_secret_basic",
	};
	const provider = new Provider(issuer, {
		jwks: { keys: [key] },
		clients: [
			{ ...machine, client_id: "machine" },
			{ ...machine, client_id: "robot" },
			{ ...machine, client_id: "bound", dpop_bound_access_tokens: true },
			{ ...machine, client_id: "moorage" },
		],
		clientAuthMethods: ["client_secret_basic", "client_secret_post"],
		scopes: ["openid", "mcp", "tools"],
		features: {
			devInteractions: { enabled: false },
			clientCredentials: { enabled: true },
			introspection: { enabled: true, allowedPolicy: () => true },
			dPoP: { enabled: true },
			resourceIndicators: {
				enabled: true,
				defaultResource: () => undefined,
				getResourceServerInfo: (_, resource) => ({
					scope: "mcp tools",
					audience: resource,
					accessTokenFormat: resource.endsWith("/opaque/mcp") ? "opaque" : "jwt",
					jwt: { sign: { alg: "RS256" } },
				}),
			},
		},
	});
	return provider.callback();
}
