import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from "jose";
import {
	type IdentityProvider,
	startIdentityProvider,
} from "../../test/support/identity-provider.ts";
import { callback, opened, pkce, startLogin } from "../../test/support/login-scene.ts";
import { systemRandom } from "../lib/random.ts";
import { LoginClients } from "./clients.ts";

const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const token_exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

let provider: IdentityProvider;

before(async () => {
	provider = await startIdentityProvider();
});

after(() => provider?.stop());

async function setUp(t: TestContext, client_id = "agent") {
	const claims = {
		tenant: { kind: "fixed", name: "acme-sso" },
		user: "email",
		client: undefined,
		roles: "groups",
		role_names: { "mcp-operators": "operator" },
		scopes: undefined,
	} as const;
	const base = { name: "okta", title: "Okta", client_id: "x", client_secret: undefined };
	const more = { scopes: ["openid"], enterprise: true };
	const federated = [{ ...base, ...more, issuer: provider.issuer, claims }];
	const scene = await startLogin({ federated });
	t.after(() => scene.close());
	const clients = new LoginClients(
		{ ...scene.records, random: systemRandom },
		scene.login.machines,
	);
	const added = await clients.add({
		client_id,
		name: undefined,
		redirect_uris: [],
		secret: true,
		jwks: undefined,
		holder: undefined,
		enterprise: true,
	});
	assert.ok(added.ok);
	const secret = added.value.secret ?? "";
	const now_s = Math.floor(scene.clock.now() / 1000);
	const assertion = (change: Readonly<Record<string, unknown>> = {}, typ?: string) =>
		provider.sign(
			{
				iss: provider.issuer,
				sub: "00u1",
				email: "ana@acme.example",
				email_verified: true,
				groups: ["mcp-operators", "everybody"],
				aud: scene.issuer,
				client_id,
				resource: scene.resource,
				scope: "mcp billing",
				jti: systemRandom.uuid(),
				iat: now_s,
				exp: now_s + 300,
				...change,
			},
			typ,
		);
	const exchange = (text: string, change: Readonly<Record<string, string>> = {}) =>
		scene.token({
			grant_type,
			client_id,
			client_secret: secret,
			assertion: text,
			...change,
		});
	return { scene, assertion, exchange, now_s };
}

test("an assertion of a trusted provider is exchanged for a token of the person it is about", async (t) => {
	const { scene, assertion, exchange } = await setUp(t);
	const document = await fetch(`${scene.issuer}/.well-known/oauth-authorization-server`);
	const metadata = (await document.json()) as Record<string, string[]>;
	assert.ok(metadata["grant_types_supported"]?.includes(grant_type));
	const profile = "urn:ietf:params:oauth:grant-profile:id-jag";
	assert.deepEqual(metadata["authorization_grant_profiles_supported"], [profile]);
	const got = await exchange(await assertion());
	assert.equal(got.status, 200, JSON.stringify(got.body));
	assert.equal(got.body["refresh_token"], undefined);
	const { header, claims } = opened(scene, got.body["access_token"]);
	assert.equal(header["typ"], "at+jwt");
	const { tenant, user, roles, aud, scope, client_id, sub } = claims;
	assert.deepEqual(
		{ tenant, user, roles, aud, scope, client_id, sub },
		{
			tenant: "acme-sso",
			user: "ana@acme.example",
			roles: ["operator"],
			aud: scene.resource,
			scope: "mcp billing",
			client_id: "agent",
			sub: "acme-sso/ana@acme.example",
		},
	);
	const less = await exchange(await assertion(), { scope: "mcp" });
	assert.equal(less.body["scope"], "mcp");
	const more = await exchange(await assertion({ scope: "mcp" }), { scope: "mcp billing" });
	assert.equal(more.body["scope"], "mcp");
});

test("who has logged in at the provider needs no page here: its assertion is enough", async (t) => {
	const registered = await provider.register({
		redirect_uris: [callback],
		grant_types: ["authorization_code", token_exchange],
	});
	const { client_id } = registered;
	const { scene, exchange } = await setUp(t, client_id);
	const { verifier, challenge } = pkce();
	const page = new URL(`${provider.issuer}/auth`);
	const wanted = { client_id, response_type: "code", redirect_uri: callback, scope: "openid" };
	const proof = { code_challenge: challenge, code_challenge_method: "S256" };
	page.search = String(new URLSearchParams({ ...wanted, ...proof }));
	const code = (await provider.logIn(page, "ana")).searchParams.get("code") ?? "";
	const form = { grant_type: "authorization_code", code, redirect_uri: callback };
	const logged_in = await provider.exchange(registered, { ...form, code_verifier: verifier });
	const vouched = await provider.exchange(registered, {
		grant_type: token_exchange,
		requested_token_type: "urn:ietf:params:oauth:token-type:id-jag",
		subject_token: String(logged_in["id_token"]),
		subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
		audience: scene.issuer,
		resource: scene.resource,
		scope: "mcp",
	});
	const got = await exchange(String(vouched["access_token"]));
	assert.equal(got.status, 200, JSON.stringify([vouched, got.body]));
	const { claims } = opened(scene, got.body["access_token"]);
	assert.deepEqual(
		[claims["sub"], claims["roles"], claims["client_id"], claims["scope"]],
		["acme-sso/ana@acme.example", ["operator"], client_id, "mcp"],
	);
});

test("an assertion is good once", async (t) => {
	const { assertion, exchange } = await setUp(t);
	const text = await assertion();
	const first = await exchange(text);
	assert.equal(first.status, 200, JSON.stringify(first.body));
	const again = await exchange(text);
	assert.equal(again.body["error"], "invalid_grant");
});

test("an assertion that is not for this server, this client or this time is refused", async (t) => {
	const { scene, assertion, exchange, now_s } = await setUp(t);
	const other = await generateKeyPair("RS256");
	const refused = [
		await assertion({ aud: "https://other.example" }),
		await assertion({ aud: [scene.issuer, "https://other.example"] }),
		await assertion({ client_id: "another" }),
		await assertion({ exp: now_s - 60, iat: now_s - 120 }),
		await assertion({ iat: now_s - 7_200, exp: now_s + 300 }),
		await assertion({ iss: "https://other.example" }),
		await assertion({ jti: undefined }),
		await assertion({ email: undefined }),
		await assertion({}, "JWT"),
		await assertion({}, "at+jwt"),
		await new SignJWT(decodeJwt(await assertion()))
			.setProtectedHeader(decodeProtectedHeader(await assertion()) as { alg: string })
			.sign(other.privateKey),
		"x.y.z",
		"x".repeat(20_000),
	];
	for (const [index, text] of refused.entries()) {
		const got = await exchange(text);
		assert.equal(got.body["error"], "invalid_grant", `${index}: ${JSON.stringify(got.body)}`);
		assert.equal(got.body["access_token"], undefined);
	}
	assert.deepEqual(
		scene.people.users().filter(({ provider: from }) => from === "okta"),
		[],
	);
	const elsewhere = await exchange(await assertion(), { resource: `${scene.issuer}/other/mcp` });
	assert.equal(elsewhere.body["error"], "invalid_target");
	const foreign = await assertion({ resource: "https://other.example/mcp" });
	assert.equal((await exchange(foreign)).body["error"], "invalid_target");
	const nothing = await scene.token({ grant_type, client_id: "agent" });
	assert.equal(nothing.body["error"], "invalid_client");
});
