import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { type LoginScene, startLogin } from "../../test/support/login-scene.ts";
import { loopbackAddresses, private_addresses } from "../../test/support/private-addresses.ts";
import { startTrap } from "../../test/support/trap.ts";

/*
 * Addresses that callers name to the authorization server, in every way of writing one of this
 * machine or its network: none of them is asked.
 */

const callback = "http://127.0.0.1:1/callback";
/** Documents of clients that are not known are fetched so often a minute. */
const fetches_max = 30;
const minute_ms = 60_000;

/** A question of the authorization server that names `address` wherever one may stand. */
function authorization(scene: LoginScene, address: string): string {
	const url = new URL("/oauth/authorize", scene.issuer);
	url.search = new URLSearchParams({
		client_id: address,
		redirect_uri: callback,
		response_type: "code",
		code_challenge: "x".repeat(43),
		code_challenge_method: "S256",
		resource: address,
		request_uri: address,
	}).toString();
	return url.href;
}

test("no document of a client is fetched from this machine or its network", async (t) => {
	const trap = await startTrap(t);
	const scene = await startLogin({ client_documents: ["*"] });
	t.after(() => scene.close());
	const addresses = [...loopbackAddresses(trap.port), ...private_addresses];
	for (const [at, address] of addresses.entries()) {
		if (at % fetches_max === 0) await scene.clock.advance(minute_ms);
		const page = await fetch(authorization(scene, address), { redirect: "manual" });
		assert.equal(page.status, 400, address);
	}
	assert.equal(trap.connections(), 0);
});

test("no key of a client is fetched from this machine or its network", async (t) => {
	const trap = await startTrap(t);
	const scene = await startLogin({ registration: true });
	t.after(() => scene.close());
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const register = async (metadata: object) => {
		const response = await fetch(`${scene.issuer}/oauth/register`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ redirect_uris: [callback], ...metadata }),
		});
		return { status: response.status, body: (await response.json()) as Record<string, string> };
	};
	let registered = 0;
	for (const address of [...loopbackAddresses(trap.port), ...private_addresses]) {
		for (const member of ["sector_identifier_uri", "logo_uri", "client_uri", "tos_uri"]) {
			await register({ [member]: address });
		}
		const made = await register({
			token_endpoint_auth_method: "private_key_jwt",
			jwks_uri: address,
		});
		if (made.status !== 201) continue;
		registered += 1;
		const client_id = made.body["client_id"] ?? "";
		const refused = await scene.token({
			grant_type: "authorization_code",
			code: "x",
			redirect_uri: callback,
			code_verifier: "x".repeat(43),
			client_id,
			client_assertion: assertionOf(client_id, scene.issuer, privateKey),
			client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		});
		assert.ok(refused.status === 400 || refused.status === 401, address);
	}
	assert.ok(registered > 20, "most addresses are refused when they are to be asked, not before");
	assert.equal(trap.connections(), 0);
});

/** What a client with a private key shows; its header names where keys are, too. */
function assertionOf(
	client_id: string,
	issuer: string,
	key: ReturnType<typeof generateKeyPairSync>["privateKey"],
): string {
	const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
	const now_s = Math.floor(Date.now() / 1000);
	const claims = { iss: client_id, sub: client_id, aud: issuer, jti: client_id, exp: now_s + 60 };
	const text = `${part({ alg: "ES256", jku: issuer, x5u: issuer })}.${part({ ...claims, iat: now_s })}`;
	const options = { key, dsaEncoding: "ieee-p1363" } as const;
	return `${text}.${sign("sha256", Buffer.from(text), options).toString("base64url")}`;
}
