import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	type Deviations,
	startAuthorizationServer,
	type TestAuthorizationServer,
} from "../../../../test/support/authorization-server.ts";
import { by_itself } from "../../../../test/support/oauth-spec.ts";
import type { OAuthSpec, OAuthSubject } from "../../../config/plan.ts";
import { systemClock } from "../../../lib/clock.ts";
import { aboutOf } from "./about.ts";
import type { IdentitySource } from "./exchange.ts";
import { FoundServers } from "./found-servers.ts";
import { IssuerLanes } from "./issuer-lanes.ts";
import { MemoryTokenStore } from "./token-store.ts";
import { UpstreamAuth } from "./upstream-auth.ts";

const jag = "urn:ietf:params:oauth:token-type:id-jag";
const granted = { status: 200, body: { access_token: "granted", token_type: "Bearer" } };
const id_jag = { issued_token_type: jag, access_token: "the-jag", token_type: "N_A" };

/** A server, the provider that vouches for people, and what was refused of what it says. */
async function rig(
	t: TestContext,
	grant: "id_jag" | "token_exchange",
	{ at_provider, at_server }: { at_provider?: Deviations; at_server?: Deviations } = {},
	signed_in = true,
	onRefused: () => void = () => undefined,
) {
	const provider = await startAuthorizationServer(
		at_provider?.token === undefined
			? { token: { status: 200, body: id_jag }, ...at_provider }
			: at_provider,
	);
	const there: Deviations = { token: granted, ...at_server };
	const server = await startAuthorizationServer(there);
	t.after(() => Promise.all([provider.close(), server.close()]));
	const refused: string[] = [];
	const subject: OAuthSubject = {
		issuer: provider.issuer,
		client_id: "us-at-provider",
		client_secret: "s3cret-1",
		token: "the-id-token",
	};
	/** What the identity is renewed to, in turn, when it is refused. */
	const renewals: string[] = [];
	const lanes: string[] = [];
	const identity: IdentitySource = {
		current: () => Promise.resolve(signed_in ? { ...subject } : undefined),
		refused: async ({ token }) => {
			refused.push(token);
			onRefused();
			Object.assign(subject, { token: renewals.shift() ?? token });
		},
	};
	const all = new IssuerLanes();
	const in_lanes = Object.assign(Object.create(all) as IssuerLanes, {
		run: (...[issuer, haste, work]: Parameters<typeof all.run>) => {
			lanes.push(issuer);
			return all.run(issuer, haste, work);
		},
	});
	const spec: OAuthSpec = { ...by_itself, grant, client_id: "us", client_secret: "s3cret-2" };
	const auth = new UpstreamAuth({
		url: `${server.issuer}/mcp`,
		spec: { ...spec, scopes: ["notes"] },
		key: { tenant: "acme", user: "ana", server: "server" },
		store: new MemoryTokenStore(),
		inTurn: (work) => work(),
		clock: systemClock,
		lanes: in_lanes,
		found: new FoundServers(systemClock),
		authorize: () => Promise.reject(new Error("nobody is asked")),
		redirectUri: () => "http://127.0.0.1:1/oauth/callback",
		identity,
		signInPage: () => "https://gateway.example/sign-in",
	});
	const refuse = () =>
		auth.onRefused({
			status: 401,
			headers: { "www-authenticate": "Bearer" },
			token: auth.token,
			rounds: 0,
		});
	return { provider, server, there, auth, refused, renewals, lanes, refuse };
}

const asked = (server: TestAuthorizationServer) => server.requests("/token").at(-1)?.parameters;

test("the provider is asked for an assertion for the authorization server, which is shown it", async (t) => {
	const { provider, server, auth, refuse } = await rig(t, "id_jag");
	assert.deepEqual(await refuse(), { ok: true, value: "retry" });
	assert.deepEqual(auth.headers(), ["authorization", "Bearer granted"]);
	assert.deepEqual(asked(provider), {
		grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
		requested_token_type: jag,
		audience: server.issuer,
		resource: `${server.issuer}/mcp`,
		scope: "notes",
		subject_token: "the-id-token",
		subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
	});
	assert.deepEqual(asked(server), {
		grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
		assertion: "the-jag",
		resource: `${server.issuer}/mcp`,
		scope: "notes",
	});
	const [at_provider, at_server] = [provider, server].map(
		(one) => one.requests("/token")[0]?.authorization ?? "",
	);
	const pair = (text = "") => Buffer.from(text.replace("Basic ", ""), "base64").toString();
	assert.equal(pair(at_provider), "us-at-provider:s3cret-1");
	assert.equal(pair(at_server), "us:s3cret-2");
});

test("an authorization server that takes the identity itself is shown it", async (t) => {
	const { provider, server, refuse } = await rig(t, "token_exchange");
	assert.deepEqual(await refuse(), { ok: true, value: "retry" });
	assert.equal(provider.requests("/token").length, 0);
	assert.deepEqual(asked(server), {
		grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
		requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
		subject_token: "the-id-token",
		subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
		resource: `${server.issuer}/mcp`,
		scope: "notes",
	});
});

test("a refresh token that comes with it is not kept: the identity is what it hangs on", async (t) => {
	const body = { access_token: "granted", token_type: "Bearer", refresh_token: "forever" };
	const { server, refuse } = await rig(t, "id_jag", {
		at_server: { token: { status: 200, body } },
	});
	await refuse();
	await refuse();
	assert.deepEqual(
		server.requests("/token").map(({ parameters }) => parameters["grant_type"]),
		Array(2).fill("urn:ietf:params:oauth:grant-type:jwt-bearer"),
	);
});

test("whoever has not signed in is sent there", async (t) => {
	const { provider, refuse } = await rig(t, "id_jag", {}, false);
	const outcome = await refuse();
	assert.ok(!outcome.ok);
	assert.equal(outcome.problem.code, "authorization_required");
	assert.match(outcome.problem.advice, /open https:\/\/gateway\.example\/sign-in, then try again/);
	assert.equal(provider.requests("/token").length, 0);
});

const invalid_grant = { token: { status: 400, body: { error: "invalid_grant" } } };

for (const [grant, where] of [
	["id_jag", { at_provider: invalid_grant }],
	["token_exchange", { at_server: invalid_grant }],
] as const) {
	test(`an identity that is not accepted any more is not shown again: ${grant}`, async (t) => {
		const { refused, refuse } = await rig(t, grant, where);
		const outcome = await refuse();
		assert.deepEqual(refused, ["the-id-token"]);
		assert.equal(outcome.ok || outcome.problem.code, "authorization_required");
	});
}

test("an identity that can be renewed is, once, before its person is asked for anything", async (t) => {
	const { server, refused, renewals, refuse } = await rig(t, "token_exchange", {
		at_server: invalid_grant,
	});
	renewals.push("renewed-1", "renewed-2");
	const outcome = await refuse();
	assert.equal(outcome.ok || outcome.problem.code, "authorization_required");
	assert.deepEqual(
		server.requests("/token").map(({ parameters }) => parameters["subject_token"]),
		["the-id-token", "renewed-1"],
	);
	assert.deepEqual(refused, ["the-id-token", "renewed-1"]);
});

test("a renewed identity is used in the same call", async (t) => {
	const at_provider: Deviations = { ...invalid_grant };
	const { provider, renewals, refuse } = await rig(t, "id_jag", { at_provider }, true, () => {
		at_provider.token = { status: 200, body: id_jag };
	});
	renewals.push("renewed-1");
	assert.deepEqual(await refuse(), { ok: true, value: "retry" });
	assert.equal(asked(provider)?.["subject_token"], "renewed-1");
});

test("an identity that makes a request invalid leads to one sign-in, and to no second one", async (t) => {
	const invalid = { token: { status: 400, body: { error: "invalid_request" } } };
	const { there, refused, refuse } = await rig(t, "token_exchange", { at_server: invalid });
	const codes: unknown[] = [];
	for (let times = 0; times < 3; times += 1) {
		const outcome = await refuse();
		codes.push(outcome.ok || outcome.problem.code);
	}
	assert.deepEqual(codes, [
		"authorization_required",
		"authorization_failed",
		"authorization_failed",
	]);
	assert.deepEqual(refused, ["the-id-token"], "what they signed in with anew is kept");
	there.token = granted;
	assert.deepEqual(await refuse(), { ok: true, value: "retry" });
	there.token = invalid.token;
	const outcome = await refuse();
	assert.equal(outcome.ok || outcome.problem.code, "authorization_required");
});

test("exchanges wait for room at both issuers, and look at the provider once", async (t) => {
	const { provider, server, lanes, refuse } = await rig(t, "id_jag");
	await refuse();
	await refuse();
	const once = [provider.issuer, server.issuer];
	assert.deepEqual(
		lanes.filter((issuer, at) => issuer === provider.issuer || lanes[at - 1] === provider.issuer),
		[...once, ...once],
	);
	const looks = provider.seen.filter(({ path }) => path.startsWith("/.well-known/"));
	assert.equal(looks.length, 1);
});

test("a token that was got with one identity is not found with another", () => {
	const subject = { issuer: "https://login.example", client_id: "us", client_secret: undefined };
	const spec: OAuthSpec = { ...by_itself, grant: "id_jag", client_id: "us" };
	const specs: OAuthSpec[] = [
		spec,
		{ ...spec, provider: "company" },
		{ ...spec, provider: "partner" },
		{ ...spec, subject: { ...subject, token: "one" } },
		{ ...spec, subject: { ...subject, token: "one", issuer: "https://other.example" } },
		{ ...spec, subject: { ...subject, token: "one", client_id: "them" } },
	];
	const about = (one: OAuthSpec) => aboutOf("https://mcp.example/mcp", one);
	assert.equal(new Set(specs.map(about)).size, specs.length);
	const renewed = { ...spec, subject: { ...subject, token: "two" } };
	assert.equal(about(renewed), about(specs[3] as OAuthSpec), "a newer token is no other identity");
});

test("an assertion that is not accepted is nothing that signing in would help with", async (t) => {
	const { refused, refuse } = await rig(t, "id_jag", { at_server: invalid_grant });
	const outcome = await refuse();
	assert.deepEqual(refused, []);
	assert.equal(outcome.ok || outcome.problem.code, "authorization_failed");
});

const bad_providers: Readonly<Record<string, Deviations>> = {
	"one that gives an access token": {
		token: { status: 200, body: { ...id_jag, issued_token_type: "urn:x:access_token" } },
	},
	"one that gives an endless assertion": {
		token: { status: 200, body: { ...id_jag, access_token: "x".repeat(20_000) } },
	},
	"one that answers nonsense": { token: { status: 200, body: { hello: 1 } } },
	"one that does not allow it": { token: { status: 400, body: { error: "access_denied" } } },
	"one that is out of order": { token: { status: 503, body: {} } },
	"one whose metadata is that of another": { metadata: { issuer: "https://other.example" } },
	"one whose token endpoint is in another network": {
		metadata: { token_endpoint: "http://192.168.1.1/token" },
	},
};

for (const [what, at_provider] of Object.entries(bad_providers)) {
	test(`nothing is told to the server by way of a bad provider: ${what}`, async (t) => {
		const { server, refuse } = await rig(t, "id_jag", { at_provider });
		const outcome = await refuse();
		assert.ok(!outcome.ok);
		assert.equal(outcome.problem.code, "authorization_failed");
		assert.equal(outcome.problem.advice.includes("the-id-token"), false);
		assert.equal(server.requests("/token").length, 0);
	});
}
