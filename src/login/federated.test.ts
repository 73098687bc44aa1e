import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	authorization,
	callback,
	type LoginScene,
	opened,
	password,
	pkce,
	startLogin,
	type Visit,
} from "../../test/support/login-scene.ts";
import type { FederatedPlan } from "../config/plan-login.ts";

const secret = "s".repeat(43);

function providerAt(issuer: string, change: Partial<FederatedPlan> = {}): FederatedPlan {
	return {
		name: "partner",
		title: "The Partner",
		issuer,
		client_id: "moorage",
		client_secret: secret,
		scopes: ["openid"],
		enterprise: false,
		claims: {
			tenant: { kind: "fixed", name: "partner" },
			user: "sub",
			client: undefined,
			roles: undefined,
			role_names: undefined,
			scopes: undefined,
		},
		...change,
	};
}

/** An authorization server, and another one that it sends people to. */
async function setUp(t: TestContext, change: Partial<FederatedPlan> = {}) {
	const elsewhere = await startLogin();
	t.after(() => elsewhere.close());
	const federated = [providerAt(elsewhere.issuer, change)];
	const here = await startLogin({ accounts: false, federated });
	t.after(() => here.close());
	await elsewhere.client({
		client_id: "moorage",
		client_secret: secret,
		redirect_uris: [`${here.issuer}/oauth/login/callback`],
	});
	await here.client({
		client_id: "app",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	});
	return { elsewhere, here };
}

const linkIn = (page: Visit) => /<a class="button" href="([^"]+)"/.exec(page.text)?.[1] ?? "";

/** Logs in elsewhere, and comes back to the address that the provider leads to. */
async function comeBack(elsewhere: LoginScene, page: URL): Promise<URL> {
	const browser = elsewhere.browser();
	const login = await browser.follow(page);
	const consent = await browser.submit(login, "login", { name: "ana", password });
	const done = await browser.submit(consent, "consent");
	assert.ok(done.location !== undefined, done.text);
	return done.location;
}

test("a person logs in at a provider elsewhere and is known here from then on", async (t) => {
	const { elsewhere, here } = await setUp(t);
	const tokenOf = async () => {
		const browser = here.browser();
		const { verifier, challenge } = pkce();
		const login = await browser.follow(authorization(here, challenge));
		assert.match(login.text, /Continue with The Partner/);
		assert.doesNotMatch(login.text, /type="password"/);
		const away = await browser.visit(linkIn(login));
		assert.equal(away.location?.origin, elsewhere.issuer);
		assert.equal(away.location?.searchParams.get("code_challenge_method"), "S256");
		const consent = await browser.follow(await comeBack(elsewhere, away.location));
		assert.match(consent.text, /to act for you/);
		const done = await browser.submit(consent, "consent");
		const got = await here.token({
			grant_type: "authorization_code",
			client_id: "app",
			code: done.location?.searchParams.get("code") ?? "",
			redirect_uri: callback,
			code_verifier: verifier,
		});
		return opened(here, got.body["access_token"]).claims;
	};
	const claims = await tokenOf();
	assert.equal(claims["tenant"], "partner");
	const again = await tokenOf();
	assert.equal(again["sub"], claims["sub"]);
	const added = here.people.users().filter(({ provider }) => provider === "partner");
	assert.deepEqual(
		added.map(({ subject, password_hash }) => [subject, password_hash]),
		[["acme/ana", undefined]],
	);
});

test("an answer of a provider is good once, in the browser that began it, and only whole", async (t) => {
	const { elsewhere, here } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const away = await browser.visit(linkIn(login));
	const back = await comeBack(elsewhere, away.location as URL);
	const other = here.browser();
	await other.follow(authorization(here, pkce().challenge));
	assert.match((await other.follow(back)).text, /This page is over/);
	const forged = new URL(back);
	forged.searchParams.set("state", "x");
	assert.match((await browser.follow(forged)).text, /This login is over/);
	assert.match((await browser.follow(back)).text, /to act for you/);
	assert.match((await browser.follow(back)).text, /This login is over/);
});

test("an answer that another server could have given is refused", async (t) => {
	for (const change of ["iss", "code"]) {
		const { elsewhere, here } = await setUp(t);
		const browser = here.browser();
		const login = await browser.follow(authorization(here, pkce().challenge));
		const away = await browser.visit(linkIn(login));
		const back = await comeBack(elsewhere, away.location as URL);
		back.searchParams.set(change, "https://other.example");
		const page = await browser.follow(back);
		assert.equal(page.status, 403);
		assert.match(page.text, /did not confirm the login/);
		assert.equal(here.people.users().length, 2);
	}
});

test("a provider that cannot be reached, or has another secret, lets nobody in", async (t) => {
	const gone = await setUp(t, { issuer: "http://127.0.0.1:9" });
	const browser = gone.here.browser();
	const login = await browser.follow(authorization(gone.here, pkce().challenge));
	const page = await browser.visit(linkIn(login));
	assert.equal(page.status, 502);
	assert.match(page.text, /cannot be reached/);
	const wrong = await setUp(t, { client_secret: "wrong" });
	const second = wrong.here.browser();
	const begun = await second.follow(authorization(wrong.here, pkce().challenge));
	const away = await second.visit(linkIn(begun));
	const refused = await second.follow(await comeBack(wrong.elsewhere, away.location as URL));
	assert.equal(refused.status, 403);
});

test("nobody is sent to a provider by another site's link", async (t) => {
	const { here } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const page = await browser.visit(`${login.url.pathname}/federated/partner?token=x`);
	assert.equal(page.status, 403);
	assert.equal(page.location, undefined);
});

test("a password is of no use where only providers are", async (t) => {
	const { here } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const token = /token=([\w-]+)/.exec(linkIn(login))?.[1] ?? "";
	const page = await browser.visit(`${login.url.pathname}/login`, {
		method: "POST",
		body: new URLSearchParams({ token, name: "ana", password }),
	});
	assert.equal(page.status, 400);
});
