import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { sql } from "kysely";
import {
	type IdentityProvider,
	type RegisteredClient,
	startIdentityProvider,
} from "../../test/support/identity-provider.ts";
import {
	authorization,
	callback,
	logInAndConsent,
	opened,
	password,
	pkce,
	startLogin,
	type Visit,
} from "../../test/support/login-scene.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { until } from "../../test/support/until.ts";
import type { FederatedPlan } from "../config/plan-login.ts";

let elsewhere: IdentityProvider;

before(async () => {
	elsewhere = await startIdentityProvider();
});

after(() => elsewhere?.stop());

function providerAt(issuer: string, client: RegisteredClient): FederatedPlan {
	return {
		name: "partner",
		title: "The Partner",
		issuer,
		client_id: client.client_id,
		client_secret: client.client_secret,
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
	};
}

/** An authorization server that sends people to a provider in a process of its own. */
async function setUp(t: TestContext, change: Partial<FederatedPlan> = {}, path = ":memory:") {
	const here = await startLogin({ accounts: false }, { path });
	t.after(() => here.close());
	const client = await elsewhere.register({
		redirect_uris: [`${here.issuer}/oauth/login/callback`],
	});
	const partner = { ...providerAt(elsewhere.issuer, client), ...change };
	await here.use({ federated: [partner] });
	await here.client({
		client_id: "app",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	});
	return { here, partner };
}

const linkIn = (page: Visit) => /<a class="button" href="([^"]+)"/.exec(page.text)?.[1] ?? "";

/** Logs in elsewhere, and comes back to the address that the provider leads to. */
const comeBack = (page: URL) => elsewhere.logIn(page, "ana");

test("a person logs in at a provider elsewhere and is known here from then on", async (t) => {
	const { here } = await setUp(t);
	const tokenOf = async () => {
		const browser = here.browser();
		const { verifier, challenge } = pkce();
		const login = await browser.follow(authorization(here, challenge));
		assert.match(login.text, /Continue with The Partner/);
		assert.doesNotMatch(login.text, /type="password"/);
		const away = await browser.visit(linkIn(login));
		assert.equal(away.location?.origin, elsewhere.issuer);
		assert.equal(away.location?.searchParams.get("code_challenge_method"), "S256");
		const consent = await browser.follow(await comeBack(away.location));
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
		[["ana", undefined]],
	);
});

test("an answer of a provider is good once, in the browser that began it, and only whole", async (t) => {
	const { here } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const away = await browser.visit(linkIn(login));
	const back = await comeBack(away.location as URL);
	const other = here.browser();
	const theirs = await other.follow(authorization(here, pkce().challenge));
	assert.match((await other.follow(back)).text, /This page is over/);
	const taken = await other.visit(`${theirs.url.pathname}/callback${back.search}`);
	assert.equal(taken.status, 403);
	assert.match(taken.text, /was not begun here/);
	const forged = new URL(back);
	forged.searchParams.set("state", "x");
	assert.match((await browser.follow(forged)).text, /This login is over/);
	assert.match((await browser.follow(back)).text, /to act for you/);
	assert.match((await browser.follow(back)).text, /This login is over/);
});

test("an answer that another server could have given is refused", async (t) => {
	for (const change of ["iss", "code"]) {
		const { here } = await setUp(t);
		const browser = here.browser();
		const login = await browser.follow(authorization(here, pkce().challenge));
		const away = await browser.visit(linkIn(login));
		const back = await comeBack(away.location as URL);
		back.searchParams.set(change, "https://other.example");
		const page = await browser.follow(back);
		assert.equal(page.status, 403);
		assert.match(page.text, /did not confirm the login/);
		assert.equal(here.people.users().length, 2);
	}
});

test("a login that is under way survives a restart, another plan and another key", async (t) => {
	const path = join(await tempFolder(t), "store.db");
	const { here, partner } = await setUp(t, {}, path);
	const again = { ...partner, title: "The Partner of Old" };
	// A minute before the keys are a month old.
	await here.clock.advance(30 * 24 * 60 * 60_000 - 60_000);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	await here.restart({ federated: [again] });
	const away = await browser.visit(linkIn(login));
	const back = await comeBack(away.location as URL);
	assert.ok(!String(back).includes(login.url.pathname.split("/").at(-1) ?? "-"));
	const [key] = here.login.jwks().keys;
	await here.restart();
	await here.clock.advance(61_000);
	await here.restart({ registration: true });
	assert.notEqual(here.login.jwks().keys[0]?.kid, key?.kid);
	assert.match((await browser.follow(back)).text, /to act for you/);
	assert.match((await browser.follow(back)).text, /This login is over/);
	await here.restart();
	assert.match((await browser.follow(back)).text, /This login is over/);
});

test("a page that was given before the keys changed is still ours", async (t) => {
	const { here } = await setUp(t);
	await here.clock.advance(30 * 24 * 60 * 60_000 - 60_000);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	await here.clock.advance(60_000);
	await until(() => here.login.jwks().keys.length === 2);
	const away = await browser.visit(linkIn(login));
	assert.equal(away.location?.origin, elsewhere.issuer, away.text);
});

test("a login takes ten minutes at most, and whoever begins again has given up the one before", async (t) => {
	const { here } = await setUp(t);
	const browser = here.browser();
	const begin = async () => {
		const login = await browser.follow(authorization(here, pkce().challenge));
		return { login, away: (await browser.visit(linkIn(login))).location as URL };
	};
	const slow = await begin();
	const late = await comeBack(slow.away);
	await here.clock.advance(10 * 60_000);
	assert.match((await browser.follow(late)).text, /This login is over/);
	const first = await begin();
	const given_up = await comeBack(first.away);
	const second = (await browser.visit(linkIn(first.login))).location as URL;
	assert.match((await browser.follow(given_up)).text, /This login is over/);
	const refused = new URL(await comeBack(second));
	refused.searchParams.set("code", "x");
	const page = await browser.follow(refused);
	assert.match(page.text, /did not confirm the login/);
	const third = (await browser.visit(linkIn(page))).location;
	const back = await comeBack(third as URL);
	assert.match((await browser.follow(back)).text, /to act for you/);
});

test("an answer is not taken to another provider that has got the name of the first", async (t) => {
	for (const plan of ["another", "none"]) {
		const path = join(await tempFolder(t), "store.db");
		const { here, partner } = await setUp(t, {}, path);
		const browser = here.browser();
		const login = await browser.follow(authorization(here, pkce().challenge));
		const away = await browser.visit(linkIn(login));
		const back = await comeBack(away.location as URL);
		const thief = await startLogin();
		t.after(() => thief.close());
		await here.restart({
			federated: plan === "none" ? [] : [{ ...partner, issuer: thief.issuer }],
		});
		const page = await browser.follow(back);
		assert.equal(page.status, 403);
		assert.match(page.text, /not offered any more/);
	}
});

test("when too many are logging in, those who have begun go on and others are told to wait", async (t) => {
	const { here } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const away = await browser.visit(linkIn(login));
	const now_ms = here.clock.now();
	const { connection } = here.store.database;
	const fill = (expires_at_ms: number) =>
		sql`insert into login_records (kind, id, body, created_at_ms, expires_at_ms)
			with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)
			select 'FederatedLogin', ${String(expires_at_ms)} || '-' || i, '', ${now_ms}, ${expires_at_ms}
			from n`.execute(connection);
	await fill(now_ms + 60_000);
	const other = here.browser();
	const waiting = await other.follow(authorization(here, pkce().challenge));
	const told = await other.visit(linkIn(waiting));
	assert.equal(told.status, 503);
	assert.equal(told.headers.get("retry-after"), "60");
	assert.match(told.text, /Too many people are logging in/);
	const back = await comeBack(away.location as URL);
	assert.match((await browser.follow(back)).text, /to act for you/);
	// Those that are over take nobody's place.
	await here.clock.advance(60_000);
	assert.equal((await other.visit(linkIn(waiting))).location?.origin, elsewhere.issuer);
});

test("the database tells nothing of a login that is under way", async (t) => {
	const { here, partner } = await setUp(t);
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const away = await browser.visit(linkIn(login));
	const records = await here.store.repositories.login.list("FederatedLogin", 10);
	assert.equal(records.length, 1);
	const kept = JSON.stringify(records);
	const state = away.location?.searchParams.get("state") ?? "";
	const uid = login.url.pathname.split("/").at(-1) ?? "";
	for (const part of [...state.split("."), uid, partner.client_secret ?? "-"])
		assert.ok(!kept.includes(part));
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
	const refused = await second.follow(await comeBack(away.location as URL));
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

test("another gateway can be the provider", async (t) => {
	const here = await startLogin({ accounts: false });
	const there = await startLogin();
	t.after(() => Promise.all([here.close(), there.close()]));
	const client = { client_id: "moorage", client_secret: "s".repeat(43) };
	await there.client({ ...client, redirect_uris: [`${here.issuer}/oauth/login/callback`] });
	await here.client({
		client_id: "app",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	});
	await here.use({ federated: [providerAt(there.issuer, client)] });
	const browser = here.browser();
	const login = await browser.follow(authorization(here, pkce().challenge));
	const away = await browser.visit(linkIn(login));
	const back = await logInAndConsent(there.browser(), String(away.location));
	const consent = await browser.follow(back);
	assert.match(consent.text, /to act for you/);
	const [added] = here.people.users().filter(({ provider }) => provider === "partner");
	assert.equal(added?.subject, "acme/ana");
});
