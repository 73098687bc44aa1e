import assert from "node:assert/strict";
import { test } from "node:test";
import {
	type Deviations,
	startAuthorizationServer,
} from "../../../../test/support/authorization-server.ts";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { by_itself } from "../../../../test/support/oauth-spec.ts";
import { until } from "../../../../test/support/until.ts";
import { authAgain, authRig } from "../../../../test/support/upstream-auth-rig.ts";
import { MemoryTokenStore } from "./token-store.ts";
import { type TokenRequest, UpstreamAuth } from "./upstream-auth.ts";

test("a token is got with PKCE, and for this resource in both requests", async (t) => {
	const { server, auth, refuse } = await authRig(t);
	assert.deepEqual(await refuse(401, "Bearer"), { ok: true, value: "retry" });
	assert.deepEqual(auth.headers(), ["authorization", "Bearer access-1"]);
	const [page] = server.requests("/authorize");
	const [token] = server.requests("/token");
	assert.equal(page?.parameters["code_challenge_method"], "S256");
	assert.equal(page?.parameters["resource"], `${server.issuer}/mcp`);
	assert.equal(token?.parameters["resource"], `${server.issuer}/mcp`);
	assert.equal(server.requests("/register")[0]?.parameters["application_type"], "native");
});

const never_asked: Readonly<Record<string, Deviations>> = {
	"a server without PKCE": { metadata: { code_challenge_methods_supported: undefined } },
	"a server with plain PKCE only": { metadata: { code_challenge_methods_supported: ["plain"] } },
	"metadata of another issuer": { metadata: { issuer: "https://evil.example" } },
	"metadata of another resource": { resource: { resource: "https://evil.example/mcp" } },
	"a page that is no web address": { metadata: { authorization_endpoint: "file:///etc" } },
};
for (const [what, deviations] of Object.entries(never_asked)) {
	test(`${what} leads to no authorization`, async (t) => {
		const { server, auth, refuse } = await authRig(t, deviations);
		assert.equal((await refuse(401, "Bearer")).ok, false);
		assert.equal(server.requests("/authorize").length, 0);
		assert.deepEqual(auth.headers(), []);
	});
}

test("an issuer is compared as a plain string: a slash more makes another of it", async (t) => {
	const deviations: Deviations = {};
	const { server, refuse } = await authRig(t, deviations);
	deviations.resource = { authorization_servers: [`${server.issuer}/`] };
	assert.equal((await refuse(401, "Bearer")).ok, false);
	assert.equal(server.requests("/authorize").length, 0);
});

const not_redeemed: Readonly<Record<string, Deviations>> = {
	"another issuer": { callback: { iss: "https://evil.example" } },
	"an empty issuer": { callback: { iss: "" } },
	"no issuer where one is promised": {
		metadata: { authorization_response_iss_parameter_supported: true },
	},
	"another state": { callback: { state: "forged" } },
	"an error": { callback: { error: "access_denied", error_description: "secret text" } },
};
for (const [what, deviations] of Object.entries(not_redeemed)) {
	test(`an answer with ${what} is not redeemed`, async (t) => {
		const { server, refuse } = await authRig(t, deviations);
		const outcome = await refuse(401, "Bearer");
		assert.ok(!outcome.ok && !outcome.problem.advice.includes("secret text"));
		assert.equal(server.requests("/token").length, 0);
	});
}

test("a refused token is renewed, and each refresh token is used once", async (t) => {
	const { server, auth, refuse } = await authRig(t);
	for (const _ of [1, 2, 3]) assert.ok((await refuse(401, "Bearer")).ok);
	assert.equal(auth.token, "access-3");
	assert.equal(server.requests("/authorize").length, 1);
	server.refresh_tokens.clear();
	assert.ok((await refuse(401, "Bearer")).ok);
	assert.equal(server.requests("/authorize").length, 2);
});

test("every token that is asked for is told of once, with how that ended", async (t) => {
	const deviations: Deviations = {};
	const first = await authRig(t, deviations);
	const told: TokenRequest[] = [];
	const { refuse } = await authAgain(first, {
		onTokenRequest: (request) => void told.push(request),
	});
	const since = () => told.splice(0).map(({ grant, outcome }) => `${grant} ${outcome}`);
	await refuse();
	assert.deepEqual(since(), ["authorization_code issued"]);
	await refuse();
	assert.deepEqual(since(), ["refresh_token issued"]);
	deviations.token = { status: 503, body: { error: "temporarily_unavailable" } };
	await refuse();
	assert.deepEqual(since(), ["refresh_token failed"]);
	deviations.token = { status: 400, body: { error: "invalid_grant" } };
	await refuse();
	assert.deepEqual(since(), ["refresh_token refused", "authorization_code refused"]);
	deviations.token = { status: 200, body: { access_token: "x", token_type: "mac" } };
	await refuse();
	assert.deepEqual(since(), ["authorization_code failed"]);
	delete deviations.token;
	const own = { ...by_itself, grant: "client_credentials", client_id: "a" } as const;
	const itself = await authAgain(first, {
		spec: { ...own, client_secret: "c" },
		store: new MemoryTokenStore(),
		onTokenRequest: (request) => void told.push(request),
	});
	await itself.refuse();
	assert.deepEqual(since(), ["client_credentials issued"]);
});

test("a step up asks for all scopes so far, and for the same ones only once", async (t) => {
	const { server, refuse } = await authRig(t);
	await refuse(401, 'Bearer scope="read"');
	const more = 'Bearer error="insufficient_scope", scope="write"';
	assert.ok((await refuse(403, more)).ok);
	assert.equal(server.requests("/authorize")[1]?.parameters["scope"], "read write");
	assert.equal((await refuse(403, more)).ok, false);
	assert.equal((await refuse(401, "Bearer", 3)).ok, false);
	assert.deepEqual(await refuse(403, "Bearer"), { ok: true, value: "pass" });
	assert.equal(server.requests("/authorize").length, 2);
});

test("many refused calls cause one authorization", async (t) => {
	const { server, refuse } = await authRig(t);
	await Promise.all(Array.from({ length: 20 }, () => refuse(401, "Bearer")));
	assert.equal(server.requests("/authorize").length, 1);
});

test("credentials of one issuer are not shown to another", async (t) => {
	const own = { client_id: "mine", client_secret: "s3cret", issuer: "https://other.example" };
	const { server, refuse } = await authRig(t, {}, own);
	const outcome = await refuse(401, "Bearer");
	assert.ok(!outcome.ok && !outcome.problem.advice.includes("s3cret"));
	assert.equal(server.requests("/token").length, 0);
});

test("offline access is asked for only where it is listed", async (t) => {
	const without = await authRig(t);
	await without.refuse(401, "Bearer");
	assert.equal(without.server.requests("/authorize")[0]?.parameters["scope"], undefined);
	const listed = await authRig(t, { metadata: { scopes_supported: ["offline_access"] } });
	await listed.refuse(401, "Bearer");
	assert.equal(listed.server.requests("/authorize")[0]?.parameters["scope"], "offline_access");
});

test("Moorage is authorized for itself without a person", async (t) => {
	const own = { grant: "client_credentials", client_id: "a-b", client_secret: "c" } as const;
	const { server, refuse } = await authRig(t, {}, own);
	assert.ok((await refuse(401, "Bearer")).ok);
	const basic = `Basic ${Buffer.from("a-b:c").toString("base64")}`;
	assert.equal(server.requests("/token")[0]?.authorization, basic);
});

test("a token is renewed a minute before its end, once, while calls go on with it", async (t) => {
	const clock = new FakeClock();
	const { server, auth, refuse } = await authRig(t, {}, {}, clock);
	await refuse(401, "Bearer");
	await clock.advance(3_539_000);
	assert.deepEqual(auth.headers(), ["authorization", "Bearer access-1"]);
	assert.equal(server.requests("/token").length, 1);
	await clock.advance(1_000);
	for (let calls = 0; calls < 20; calls += 1) {
		assert.deepEqual(auth.headers(), ["authorization", "Bearer access-1"]);
	}
	await until(() => auth.token === "access-2");
	assert.equal(server.requests("/token").length, 2);
	assert.equal(server.requests("/authorize").length, 1);
});

test("a call that is refused meanwhile waits for the renewal, and no second one is made", async (t) => {
	const clock = new FakeClock();
	const { server, auth, refuse } = await authRig(t, {}, {}, clock);
	await refuse(401, "Bearer");
	await clock.advance(3_600_000);
	auth.headers();
	assert.deepEqual(await refuse(401, "Bearer"), { ok: true, value: "retry" });
	assert.equal(auth.token, "access-2");
	assert.equal(server.requests("/token").length, 2);
});

test("ahead of a token's end nobody is asked, and a token that cannot be renewed is left", async (t) => {
	const clock = new FakeClock();
	const { server, auth, refuse } = await authRig(t, {}, {}, clock);
	await refuse(401, "Bearer");
	server.refresh_tokens.clear();
	await clock.advance(3_600_000);
	auth.headers();
	await until(() => server.requests("/token").length === 2);
	// The refusal waits for the attempt, and only then a person is asked.
	assert.deepEqual(await refuse(401, "Bearer"), { ok: true, value: "retry" });
	assert.equal(server.requests("/authorize").length, 2);
	assert.equal(auth.token, "access-2");
});

test("a renewal that fails ahead of a token's end is tried again, not with every call", async (t) => {
	const clock = new FakeClock();
	const deviations: Deviations = {};
	const { server, auth, refuse } = await authRig(t, deviations, {}, clock);
	await refuse(401, "Bearer");
	await clock.advance(3_540_000);
	deviations.token = { status: 503, body: {} };
	auth.headers();
	await until(() => server.requests("/token").length === 2);
	// Whoever is refused waits for the attempt, so that it is over here.
	await refuse(403, "Bearer");
	delete deviations.token;
	for (let calls = 0; calls < 5; calls += 1) auth.headers();
	await clock.advance(14_999);
	auth.headers();
	await refuse(403, "Bearer");
	assert.equal(server.requests("/token").length, 2);
	await clock.advance(1);
	auth.headers();
	await until(() => auth.token === "access-2");
	assert.equal(server.requests("/authorize").length, 1);
});

test("Moorage's own token is got anew ahead of its end", async (t) => {
	const clock = new FakeClock();
	const own = { grant: "client_credentials", client_id: "a", client_secret: "c" } as const;
	const { server, auth, refuse } = await authRig(t, {}, own, clock);
	await refuse(401, "Bearer");
	server.refresh_tokens.clear();
	await clock.advance(3_540_000);
	auth.headers();
	await until(() => auth.token === "access-2");
});

test("a problem says by its code whether a person has to act", async (t) => {
	const failing = await authRig(t, { callback: { error: "access_denied" } });
	const refused = await failing.refuse(401, "Bearer");
	assert.ok(!refused.ok && refused.problem.code === "authorization_failed");
	const clock = new FakeClock();
	const server = await startAuthorizationServer();
	t.after(() => server.close());
	const asked = Promise.withResolvers<void>();
	const waiting = new UpstreamAuth({
		url: `${server.issuer}/mcp`,
		spec: by_itself,
		key: { tenant: "", user: "", server: "server" },
		store: new MemoryTokenStore(),
		inTurn: (work) => work(),
		clock,
		authorize() {
			asked.resolve();
			return new Promise<never>(() => undefined);
		},
		redirectUri: () => "http://127.0.0.1:1/oauth/callback",
	});
	const pending = waiting.onRefused({ status: 401, headers: {}, token: undefined, rounds: 0 });
	await asked.promise;
	await clock.advance(5_000);
	const outcome = await pending;
	assert.ok(!outcome.ok && outcome.problem.code === "authorization_required");
	assert.match(outcome.problem.advice, /open the address/);
});

test("a grant is found in the store, and renewed as the client that it was given to", async (t) => {
	const first = await authRig(t);
	await first.refuse(401, "Bearer");
	// At another address of ours we would register anew; what was given is still good.
	const { auth, refuse } = await authAgain(first, {
		redirectUri: () => "http://127.0.0.1:2/oauth/callback",
	});
	assert.equal(auth.token, "access-1");
	assert.deepEqual(await refuse(), { ok: true, value: "retry" });
	assert.equal(auth.token, "access-2");
	assert.equal(first.server.requests("/register").length, 1);
	assert.equal(first.server.requests("/authorize").length, 1);
});

test("of two who renew the same grant the second finds what the first has got", async (t) => {
	const first = await authRig(t);
	await first.refuse(401, "Bearer");
	const second = await authAgain(first);
	const outcomes = await Promise.all([first.refuse(401, "Bearer"), second.refuse()]);
	assert.ok(outcomes.every(({ ok }) => ok));
	assert.equal(first.auth.token, "access-2");
	assert.equal(second.auth.token, "access-2");
	assert.equal(first.server.requests("/token").length, 2);
	assert.equal(first.server.requests("/authorize").length, 1);
});

test("a server that is out of order for a while does not end a grant", async (t) => {
	const deviations: Deviations = {};
	const { server, auth, refuse } = await authRig(t, deviations);
	await refuse(401, "Bearer");
	deviations.token = { status: 503, body: { error: "temporarily_unavailable" } };
	const outcome = await refuse(401, "Bearer");
	assert.ok(!outcome.ok && outcome.problem.code === "authorization_failed");
	assert.equal(server.requests("/authorize").length, 1);
	delete deviations.token;
	assert.ok((await refuse(401, "Bearer")).ok);
	assert.equal(auth.token, "access-2");
});

const odd_refusals: readonly [number, string][] = [
	[403, "forbidden"],
	[400, "invalid_request"],
	[400, "unauthorized_client"],
	[400, "a code of its own"],
	[429, "invalid_client"],
];
for (const [status, error] of odd_refusals) {
	test(`a refresh that is answered with ${status} ${error} does not end a grant`, async (t) => {
		const deviations: Deviations = {};
		const { server, auth, refuse } = await authRig(t, deviations);
		await refuse(401, "Bearer");
		deviations.token = { status, body: { error } };
		const outcome = await refuse(401, "Bearer");
		assert.ok(!outcome.ok && outcome.problem.code === "authorization_failed");
		assert.match(outcome.problem.advice, /If it stays so, end the authorization/);
		delete deviations.token;
		assert.deepEqual(await refuse(401, "Bearer"), { ok: true, value: "retry" });
		assert.equal(auth.token, "access-2");
		assert.equal(server.requests("/authorize").length, 1);
	});
}

test("an issuer that does not know our client any more is registered with anew", async (t) => {
	const deviations: Deviations = {};
	const { server, refuse } = await authRig(t, deviations);
	await refuse(401, "Bearer");
	deviations.token = { status: 401, body: { error: "invalid_client" } };
	assert.equal((await refuse(401, "Bearer")).ok, false);
	delete deviations.token;
	assert.ok((await refuse(401, "Bearer")).ok);
	assert.ok(server.requests("/register").length > 1);
});

test("a grant that was taken back ends, and a call that cannot wait says so", async (t) => {
	const clock = new FakeClock();
	const first = await authRig(t, {}, {}, clock);
	await first.refuse(401, "Bearer");
	first.server.refresh_tokens.clear();
	const asked = Promise.withResolvers<void>();
	const { auth, refuse } = await authAgain(first, {
		authorize() {
			asked.resolve();
			return new Promise<never>(() => undefined);
		},
	});
	const pending = refuse();
	await asked.promise;
	assert.equal(auth.token, undefined);
	assert.equal((await authAgain(first)).auth.token, undefined, "it is not in the store any more");
	await clock.advance(5_000);
	const outcome = await pending;
	assert.ok(!outcome.ok && outcome.problem.code === "authorization_required");
	assert.match(outcome.problem.advice, /was taken back or has run out/);
});

test("a client secret that has run out is not used for another authorization", async (t) => {
	const clock = new FakeClock();
	const ends_s = Math.floor(clock.now() / 1000) + 60;
	const first = await authRig(t, { registration: { client_secret_expires_at: ends_s } }, {}, clock);
	await first.refuse(401, "Bearer");
	first.server.refresh_tokens.clear();
	await clock.advance(61_000);
	await first.refuse(401, "Bearer");
	assert.equal(first.server.requests("/register").length, 2);
});

test("what is ended while others wait to renew it is not renewed", async (t) => {
	const first = await authRig(t);
	await first.refuse(401, "Bearer");
	let turns = 0;
	const { auth, refuse } = await authAgain(first, {
		async inTurn(work) {
			turns += 1;
			if (turns === 1) {
				const { key, store } = first.options;
				await store.end({ ...key, about: auth.about }, first.server.issuer);
				auth.forget();
			}
			return work();
		},
	});
	assert.equal(auth.token, "access-1");
	const outcome = await refuse();
	assert.ok(!outcome.ok);
	assert.match(outcome.problem.advice, /ended before it was given/);
	// Nobody was asked, and the old refresh token had no part in it.
	assert.equal(first.server.requests("/authorize").length, 1);
	assert.ok(first.server.refresh_tokens.has("refresh-1"));
	assert.ok((await refuse()).ok, "the next call asks anew");
	assert.equal(first.server.requests("/authorize").length, 2);
	assert.ok(first.server.refresh_tokens.has("refresh-1"));
});
