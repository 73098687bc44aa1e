import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeJwt } from "jose";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import {
	authorization,
	Browser,
	callback,
	logInAndConsent,
	password,
	pkce,
	postForm,
} from "../support/login-scene.ts";
import { proofOf, type SigningKey, signingKey } from "../support/token-issuer.ts";

/* Proofs of possession that have to carry a nonce (RFC 9449 sections 8 and 9). */

let provider: IdentityProvider;
let gateway: TestGateway;
let key: SigningKey;

const configOf = (dpop_nonces: "off" | "required") => ({
	identity: {
		dpop_nonces,
		issuers: [{ issuer: provider.issuer, tenant: "corp" }],
		login: {},
		shared_tenants: ["corp"],
	},
	servers: {},
});

before(async () => {
	[provider, key] = await Promise.all([startIdentityProvider(), signingKey("client")]);
	gateway = await startGateway(configOf("required"));
});

after(async () => {
	await gateway?.stop();
	await provider?.stop();
});

const initialize = JSON.stringify({
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "nonce-test", version: "1" },
	},
});

/** Posts a handshake with a new proof that carries a nonce, and tells how it was answered. */
async function post(token: string, nonce: string | undefined, headers = {}) {
	const url = gateway.address().href;
	const proof = await proofOf(key, { method: "POST", url, token }, { claims: { nonce } });
	const response = await fetch(url, {
		method: "POST",
		headers: {
			authorization: `DPoP ${token}`,
			dpop: proof,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			...headers,
		},
		body: initialize,
	});
	return {
		status: response.status,
		challenge: response.headers.get("www-authenticate") ?? "",
		nonce: response.headers.get("dpop-nonce") ?? undefined,
		text: await response.text(),
		exposed: response.headers.get("access-control-expose-headers") ?? "",
	};
}

const boundToken = () => provider.token({ resource: gateway.address().href, client: "bound", key });

test("a proof without a nonce is answered with one, and the next proof with it is good", async () => {
	const token = await boundToken();
	const origin = "http://localhost:3000";
	const first = await post(token, undefined, { origin });
	assert.equal(first.status, 401);
	assert.match(first.challenge, /^DPoP algs="[^"]+", .*error="use_dpop_nonce"/);
	assert.match(first.text, /"dpop_nonce_required"/);
	assert.ok(first.nonce !== undefined);
	// A client in a browser can read it.
	assert.match(first.exposed, /DPoP-Nonce/);
	const second = await post(token, first.nonce);
	assert.equal(second.status, 200, second.text);
	assert.ok(second.nonce !== undefined, "the answer renews it");
	assert.equal((await post(token, second.nonce)).status, 200);
	const invented = await post(token, "x".repeat(43));
	assert.match(invented.challenge, /use_dpop_nonce/);
	assert.equal((await post(token, invented.nonce)).status, 200);
});

test("whoever sends no proofs hears nothing of nonces", async () => {
	const token = await provider.token({ resource: gateway.address().href });
	const response = await fetch(gateway.address(), {
		method: "POST",
		headers: {
			authorization: `Bearer ${token}`,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
		},
		body: initialize,
	});
	assert.equal(response.status, 200, await response.text());
	assert.equal(response.headers.get("dpop-nonce"), null);
});

test("the authorization server wants a nonce as well, and gives a token that is good with both", async () => {
	const admin = await readAdminToken(`${gateway.folder}/.moorage`);
	assert.ok(admin.ok);
	const add = async (path: string, body: object) => {
		const response = await fetch(`${gateway.url}${path}`, {
			method: "POST",
			headers: { authorization: `Bearer ${admin.value}`, "content-type": "application/json" },
			body: JSON.stringify(body),
		});
		assert.equal(response.status, 201, await response.text());
	};
	await add("/api/users", { tenant: "acme", user: "ana", password });
	await add("/api/clients", { client_id: "app", redirect_uris: [callback] });
	const { verifier, challenge } = pkce();
	const scene = { issuer: gateway.url, resource: gateway.address().href };
	const answer = await logInAndConsent(new Browser(gateway.url), authorization(scene, challenge));
	const url = `${gateway.url}/oauth/token`;
	const exchange = async (nonce: string | undefined) => {
		const request = { method: "POST", url, token: "" };
		const dpop = await proofOf(key, request, { claims: { nonce, ath: undefined } });
		const form = {
			grant_type: "authorization_code",
			client_id: "app",
			code: answer.searchParams.get("code") ?? "",
			redirect_uri: callback,
			code_verifier: verifier,
		};
		return postForm(url, form, { headers: { dpop } });
	};
	const first = await exchange(undefined);
	assert.deepEqual([first.status, first.body["error"]], [400, "use_dpop_nonce"]);
	const nonce = first.headers.get("dpop-nonce") ?? "";
	// A change of the configuration in between is none of the client's business.
	assert.ok((await gateway.reconfigure({ ...configOf("required"), sse: "off" })).ok);
	// The code was not used up.
	const second = await exchange(nonce);
	assert.equal(second.status, 200, JSON.stringify(second.body));
	assert.equal(second.body["token_type"], "DPoP");
	const token = String(second.body["access_token"]);
	assert.ok(decodeJwt(token)["cnf"] !== undefined);
	const refused = await post(token, nonce);
	assert.match(refused.challenge, /use_dpop_nonce/, "each has nonces of its own");
	assert.equal((await post(token, refused.nonce)).status, 200);
});

test("where it is switched off, proofs need no nonce and may have one", async () => {
	assert.ok((await gateway.reconfigure(configOf("off"))).ok);
	const token = await boundToken();
	for (const nonce of [undefined, "x"]) {
		const answered = await post(token, nonce);
		assert.equal(answered.status, 200, answered.text);
		assert.equal(answered.nonce, undefined);
	}
});
