// An identity provider of somebody else: oidc-provider in a process of its own. It prints its
// issuer as a line, and takes commands as lines: `rotate` makes a new key the only one,
// `sign {"typ": …, "claims": …}` signs claims that no good provider would, to be refused, and
// `revoked` says how many access tokens were revoked.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";
import { errors, Provider } from "oidc-provider";

// It would say that it keeps everything in memory, which is what a test wants, and standard output
// is for answers.
console.warn = () => {};
console.info = () => {};

const token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
const id_token_type = "urn:ietf:params:oauth:token-type:id_token";
const id_jag_type = "urn:ietf:params:oauth:token-type:id-jag";
const id_jag_s = 300;

const server = createServer((request, response) => serve(request, response));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

let count = 0;
let revoked = 0;
let key;
let serve = await provide();
process.stdout.write(`${issuer}\n`);

for await (const line of createInterface({ input: process.stdin })) {
	if (line === "rotate") {
		serve = await provide();
		process.stdout.write("rotated\n");
	} else if (line === "revoked") {
		process.stdout.write(`${revoked}\n`);
	} else if (line.startsWith("sign ")) {
		const { typ, claims } = JSON.parse(line.slice("sign ".length));
		process.stdout.write(`${await sign(typ, claims)}\n`);
	}
}
process.exit(0);

async function sign(typ, claims) {
	const { kid, alg } = key;
	return new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(await importJWK(key));
}

/** Whoever is logged in is taken at their word: their name here is what they have typed. */
function accountOf(id) {
	const claims = {
		sub: id,
		name: `The ${id}`,
		email: `${id}@acme.example`,
		email_verified: true,
		groups: ["mcp-operators", "everybody"],
	};
	return { accountId: id, claims: () => claims };
}

async function provide() {
	count += 1;
	const { privateKey } = await generateKeyPair("RS256", { extractable: true });
	key = { ...(await exportJWK(privateKey)), kid: `key-${count}`, alg: "RS256", use: "sig" };
	const machine = {
		client_secret: "s3cret",
		grant_types: ["client_credentials"],
		redirect_uris: [],
		response_types: [],
		token_endpoint_auth_method: "client_secret_basic",
	};
	const provider = new Provider(issuer, {
		jwks: { keys: [key] },
		claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
		clients: [
			{ ...machine, client_id: "machine" },
			{ ...machine, client_id: "robot" },
			{ ...machine, client_id: "bound", dpop_bound_access_tokens: true },
			{ ...machine, client_id: "moorage" },
		],
		clientAuthMethods: ["client_secret_basic", "client_secret_post"],
		conformIdTokenClaims: false,
		findAccount: (_, id) => accountOf(id),
		scopes: ["openid", "email", "groups", "mcp", "tools"],
		features: {
			devInteractions: { enabled: true },
			clientCredentials: { enabled: true },
			introspection: { enabled: true, allowedPolicy: () => true },
			dPoP: { enabled: true },
			registration: { enabled: true },
			revocation: { enabled: true },
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
	provider.on("access_token.destroyed", () => {
		revoked += 1;
	});
	const parameters = ["audience", "requested_token_type", "resource", "scope"];
	provider.registerGrantType(token_exchange, exchange, [
		...parameters,
		"subject_token",
		"subject_token_type",
	]);
	return provider.callback();
}

/**
 * Exchanges the ID token of a person for an assertion that another authorization server takes
 * (draft-ietf-oauth-identity-assertion-authz-grant section 4.3).
 */
async function exchange(context) {
	const { params, client } = context.oidc;
	if (params.requested_token_type !== id_jag_type || params.subject_token_type !== id_token_type) {
		throw new errors.InvalidRequest("only an ID token is exchanged, for an ID-JAG");
	}
	const { kty, n, e, kid, alg } = key;
	const keys = createLocalJWKSet({ keys: [{ kty, n, e, kid, alg }] });
	const expected = { issuer, audience: client.clientId };
	const { payload } = await jwtVerify(params.subject_token, keys, expected).catch(() => {
		throw new errors.InvalidGrant("no ID token of this client");
	});
	const { email, email_verified, groups } = accountOf(payload.sub).claims();
	const now_s = Math.floor(Date.now() / 1000);
	const { audience: aud, resource, scope } = params;
	const about = { sub: payload.sub, email, email_verified, groups, client_id: client.clientId };
	const times = { jti: crypto.randomUUID(), iat: now_s, exp: now_s + id_jag_s };
	const claims = { iss: issuer, aud, resource, scope, ...about, ...times };
	context.body = {
		issued_token_type: id_jag_type,
		access_token: await sign("oauth-id-jag+jwt", claims),
		token_type: "N_A",
		expires_in: id_jag_s,
	};
}
