import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import {
	type IdentityProvider,
	type RegisteredClient,
	startIdentityProvider,
} from "../support/identity-provider.ts";
import {
	authorization,
	Browser,
	callback,
	logInAndConsent,
	password,
	pkce,
	type Visit,
} from "../support/login-scene.ts";
import { runCli } from "../support/run-cli.ts";
import { signInAt } from "../support/sign-in.ts";

/** People sign in to the gateway's own pages: with a password, at providers, with a key. */

let elsewhere: IdentityProvider;
let gateway: TestGateway;
let partner: RegisteredClient;
let company: RegisteredClient;
let admin: string;

function identity() {
	return {
		shared_tenants: ["company"],
		login: {
			federated: [
				{
					name: "partner",
					title: "The Partner",
					issuer: elsewhere.issuer,
					client_id: partner.client_id,
					client_secret: partner.client_secret,
					scopes: ["openid", "email", "groups"],
					tenant: "partner",
					claims: { user: "sub", roles: "groups" },
					roles: { "mcp-operators": "operator" },
				},
			],
		},
		issuers: [
			{
				issuer: elsewhere.issuer,
				tenant: "company",
				claims: { user: "sub", roles: "groups" },
				roles: { "mcp-operators": "auditor" },
				sign_in: {
					name: "company",
					client_id: company.client_id,
					client_secret: company.client_secret,
					scopes: ["openid", "groups"],
				},
			},
		],
	};
}

before(async () => {
	elsewhere = await startIdentityProvider();
	// The gateway has its address only once it runs, and providers want to know it before.
	const empty = await startGateway({ identity: {}, servers: {} });
	const port = Number(new URL(empty.url).port);
	await empty.stop();
	const redirect_uris = [`http://127.0.0.1:${port}/oauth/login/callback`];
	partner = await elsewhere.register({ redirect_uris });
	company = await elsewhere.register({ redirect_uris });
	const servers = { echo: stdioFixture("echo") };
	gateway = await startGateway({ identity: identity(), servers }, { port });
	const token = await readAdminToken(gateway.daemon.plan.data);
	assert.ok(token.ok);
	admin = token.value;
	const roles = ["approver"];
	await api("POST", "/api/users", { tenant: "acme", user: "ana", password, roles });
});

after(async () => {
	await gateway?.stop();
	await elsewhere?.stop();
});

async function api(method: string, path: string, body?: object): Promise<void> {
	const response = await fetch(`${gateway.url}${path}`, {
		method,
		headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	assert.ok(response.ok, `${path}: ${await response.text()}`);
}

/** Who a browser is, as the API tells; undefined: nobody. */
async function whoIs(cookie: string) {
	const response = await fetch(`${gateway.url}/api/session`, { headers: { cookie } });
	const body = (await response.json()) as { principal: string; roles: string[]; csrf: string };
	return response.status === 200 ? body : undefined;
}

/** Who is signed in in a browser that went through pages. */
async function whoIsIn(browser: Browser): Promise<string> {
	const visit = await browser.visit("/api/session");
	return (JSON.parse(visit.text) as { principal?: string }).principal ?? "nobody";
}

/** Logs in at a provider as somebody, and comes back to the address that it leads to. */
async function comeBackFrom(away: Visit, user: string): Promise<URL> {
	assert.equal(away.location?.origin, elsewhere.issuer, away.text);
	return elsewhere.logIn(away.location, user);
}

const ana = { name: "acme/ana", password };

test("a person signs in with a password and is led to the page that a link named", async () => {
	const to = "/approvals/appr_1";
	const asked = await fetch(gateway.url + to);
	assert.equal(asked.status, 401);
	const door = await asked.text();
	for (const text of [`name="to" value="${to}"`, "Continue with The Partner", "company"]) {
		assert.ok(door.includes(text), text);
	}
	const { status, location, cookie, set } = await signInAt(gateway.url, ana, { to });
	assert.deepEqual([status, location], [303, to]);
	assert.match(set, /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/);
	const who = await whoIs(cookie);
	assert.deepEqual([who?.principal, who?.roles], ["acme/ana", ["approver", "member"]]);
	// The same session serves the page: there is no such approval, and it is known who asks.
	assert.equal((await fetch(gateway.url + to, { headers: { cookie } })).status, 404);
});

test("a session over pages and API alike ends with a password, a sign-out, a removal", async () => {
	const signedIn = async () => {
		const { cookie } = await signInAt(gateway.url, ana);
		assert.equal((await whoIs(cookie))?.principal, "acme/ana");
		return cookie;
	};
	const logged_out = await signedIn();
	await api("POST", "/api/users/acme/ana/logout");
	assert.equal(await whoIs(logged_out), undefined);
	const other_password = await signedIn();
	await api("POST", "/api/users/acme/ana", { password });
	assert.equal(await whoIs(other_password), undefined);
	const removed = await signedIn();
	await api("DELETE", "/api/users/acme/ana");
	assert.equal(await whoIs(removed), undefined);
	await api("POST", "/api/users", { tenant: "acme", user: "ana", password, roles: ["admin"] });
	assert.equal(await whoIs(removed), undefined, "somebody of the same name is somebody else");
});

test("other roles count in every open page at once", async () => {
	const { cookie } = await signInAt(gateway.url, ana);
	await api("POST", "/api/users/acme/ana", { roles: ["operator"] });
	assert.deepEqual((await whoIs(cookie))?.roles, ["operator", "member"]);
	await api("POST", "/api/users/acme/ana", { roles: ["approver"] });
	assert.deepEqual((await whoIs(cookie))?.roles, ["approver", "member"]);
});

test("nobody is signed in by a form of another page, nor without the browser's own token", async () => {
	const page = await fetch(`${gateway.url}/sign-in`);
	const attempt = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
	assert.match(page.headers.getSetCookie()[0] ?? "", /HttpOnly; SameSite=Lax; Max-Age=600/);
	const token = /name="token" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
	const post = (cookie: string, fields: object, site = "same-origin") =>
		fetch(`${gateway.url}/sign-in`, {
			method: "POST",
			redirect: "manual",
			headers: { cookie, "sec-fetch-site": site },
			body: new URLSearchParams({ ...ana, ...fields }),
		});
	const theirs = (await fetch(`${gateway.url}/sign-in`)).headers.getSetCookie()[0] ?? "";
	for (const [cookie, fields, site, status] of [
		[attempt, { token }, "cross-site", 400],
		[attempt, { token }, "same-site", 400],
		["", { token }, "same-origin", 403],
		[attempt, {}, "same-origin", 403],
		[theirs.split(";")[0] ?? "", { token }, "same-origin", 403],
	] as const) {
		const refused = await post(cookie, fields, site);
		assert.equal(refused.status, status);
		const set = refused.headers.getSetCookie().filter((one) => !one.includes("_sign_in="));
		assert.deepEqual(set, []);
	}
	assert.equal((await post(attempt, { token })).status, 303);
});

test("a form leads to pages of ours alone, whatever it names", async () => {
	for (const to of ["https://evil.example/", "//evil.example", "/\\evil.example", "/api/session"]) {
		const { status, location } = await signInAt(gateway.url, ana, { to });
		assert.deepEqual([status, location], [303, "/"], to);
	}
});

test("signing in takes up no session that the browser was given before, and ends it", async () => {
	const key = { credential: admin };
	const first = await signInAt(gateway.url, key);
	assert.equal((await whoIs(first.cookie))?.principal, "admin");
	const second = await signInAt(gateway.url, ana, { before: first.cookie });
	assert.notEqual(second.cookie, first.cookie);
	assert.equal((await whoIs(second.cookie))?.principal, "acme/ana");
	assert.equal(await whoIs(first.cookie), undefined);
	const planted = first.cookie.replace(/=.*/, `=${"A".repeat(43)}`);
	const third = await signInAt(gateway.url, ana, { before: planted });
	assert.notEqual(third.cookie, planted);
	assert.equal(await whoIs(planted), undefined);
});

test("a page's own way out needs what only the page has", async () => {
	const { cookie } = await signInAt(gateway.url, ana);
	const out = (csrf: string, site = "same-origin") =>
		fetch(`${gateway.url}/sign-in/out`, {
			method: "POST",
			redirect: "manual",
			headers: { cookie, "sec-fetch-site": site },
			body: new URLSearchParams({ csrf }),
		});
	const { csrf = "" } = (await whoIs(cookie)) ?? {};
	assert.equal((await out("guessed")).status, 403);
	assert.equal((await out(csrf, "cross-site")).status, 403);
	assert.equal((await whoIs(cookie))?.principal, "acme/ana");
	const done = await out(csrf);
	assert.equal(done.status, 303);
	assert.match(done.headers.getSetCookie()[0] ?? "", /=; Path=\/; .*Max-Age=0/);
	assert.equal(await whoIs(cookie), undefined);
});

test("whoever came from a provider is signed out there too, and what it gave is revoked", async () => {
	const browser = new Browser(gateway.url);
	await browser.follow(await comeBackFrom(await browser.visit("/sign-in/with/partner"), "pat"));
	const { csrf } = JSON.parse((await browser.visit("/api/session")).text) as { csrf: string };
	const before = await elsewhere.revoked();
	const out = await browser.visit("/api/session", {
		method: "DELETE",
		headers: { "x-moorage-csrf": csrf },
	});
	const answer = JSON.parse(out.text) as {
		ended: boolean;
		elsewhere: { title: string; url: string };
	};
	assert.deepEqual([answer.ended, answer.elsewhere.title], [true, "The Partner"]);
	const page = new URL(answer.elsewhere.url);
	assert.equal(page.origin, elsewhere.issuer);
	assert.equal(page.searchParams.get("client_id"), partner.client_id);
	assert.match(page.searchParams.get("id_token_hint") ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
	assert.equal((await fetch(page)).status, 200, "the provider knows whom it is to sign out");
	assert.equal(await elsewhere.revoked(), before + 1);
	assert.equal(await whoIsIn(browser), "nobody");
});

test("whoever signs out on a page without scripts is led on to the provider", async () => {
	const browser = new Browser(gateway.url);
	await browser.follow(await comeBackFrom(await browser.visit("/sign-in/with/company"), "kim"));
	const { csrf } = JSON.parse((await browser.visit("/api/session")).text) as { csrf: string };
	const body = new URLSearchParams({ csrf });
	const page = await browser.visit("/sign-in/out", { method: "POST", body });
	assert.equal(page.status, 200, page.text);
	assert.match(page.text, /You are signed out here/);
	assert.ok(page.text.includes(`href="${elsewhere.issuer}/session/end?client_id=`), page.text);
	assert.equal(await whoIsIn(browser), "nobody");
});

test("signing out ends the login at the gateway's own authorization server, of the same person", async () => {
	await api("POST", "/api/clients", { client_id: "app", redirect_uris: [callback] });
	await api("POST", "/api/users", { tenant: "acme", user: "eve", password, roles: [] });
	const browser = new Browser(gateway.url);
	const at = { issuer: gateway.url, resource: gateway.address("echo").href };
	const address = () => authorization(at, pkce().challenge);
	await logInAndConsent(browser, address(), "acme/ana");
	assert.ok((await browser.follow(address())).location !== undefined, "nobody is asked again");
	const signInAs = async (name: string) => {
		const door = await browser.visit("/sign-in");
		const token = /name="token" value="([^"]+)"/.exec(door.text)?.[1] ?? "";
		const body = new URLSearchParams({ token, to: "/sign-in/done", name, password });
		await browser.follow("/sign-in", { method: "POST", body });
		assert.equal(await whoIsIn(browser), name);
	};
	const signOut = async () => {
		const { csrf } = JSON.parse((await browser.visit("/api/session")).text) as { csrf: string };
		const headers = { "x-moorage-csrf": csrf };
		await browser.visit("/api/session", { method: "DELETE", headers });
		assert.equal(await whoIsIn(browser), "nobody");
	};
	await signInAs("acme/eve");
	await signOut();
	assert.ok((await browser.follow(address())).location !== undefined, "it is not her login");
	await signInAs("acme/ana");
	await signOut();
	const asked = await browser.follow(address());
	assert.equal(asked.location, undefined);
	assert.match(asked.text, /name="password"/);
});

test("signing out with a password leads nowhere else, and with a key neither", async () => {
	for (const fields of [ana, { credential: admin }]) {
		const { cookie } = await signInAt(gateway.url, fields);
		const { csrf = "" } = (await whoIs(cookie)) ?? {};
		const out = await fetch(`${gateway.url}/api/session`, {
			method: "DELETE",
			headers: { cookie, "x-moorage-csrf": csrf },
		});
		assert.deepEqual(await out.json(), { ended: true });
	}
});

test("a person of a provider comes back to the page they wanted, with the roles of its word", async () => {
	const browser = new Browser(gateway.url);
	const to = "/approvals/appr_2";
	const away = await browser.visit(`/sign-in/with/partner?${new URLSearchParams({ to })}`);
	const back = await browser.follow(await comeBackFrom(away, "pat"));
	assert.equal(back.url.pathname, to);
	const session = JSON.parse((await browser.visit("/api/session")).text);
	assert.deepEqual([session.principal, session.roles], ["partner/pat", ["operator", "member"]]);
	const users = await fetch(`${gateway.url}/api/users`, {
		headers: { authorization: `Bearer ${admin}` },
	});
	assert.match(await users.text(), /"id":"partner\/pat"/);
});

test("whoever an issuer vouches for is known by its claims, and not longer than half a day", async () => {
	const browser = new Browser(gateway.url);
	const away = await browser.visit("/sign-in/with/company?to=/sign-in/done");
	const back = await browser.follow(await comeBackFrom(away, "kim"));
	assert.match(back.text, /You are signed in/);
	const session = JSON.parse((await browser.visit("/api/session")).text);
	assert.deepEqual([session.principal, session.roles], ["company/kim", ["auditor", "member"]]);
	assert.ok(session.expires_at_ms <= Date.now() + 12 * 3_600_000);
	const keys = JSON.parse((await browser.visit("/api/me/keys")).text) as { why_not: string };
	assert.match(keys.why_not, /by the word of your provider alone/);
	const { login } = identity();
	const servers = { echo: stdioFixture("echo") };
	assert.ok((await gateway.reconfigure({ identity: { login }, servers })).ok);
	assert.equal(await whoIsIn(browser), "nobody", "an issuer that is gone vouches for nobody");
	const only_issuers = { issuers: identity().issuers };
	assert.ok((await gateway.reconfigure({ identity: only_issuers, servers })).ok);
	assert.equal(await whoIsIn(browser), "company/kim");
	// Without an authorization server of its own the way back from the issuer is the same.
	const again = await browser.visit("/sign-in/with/company");
	await browser.follow(await comeBackFrom(again, "lee"));
	assert.equal(await whoIsIn(browser), "company/lee");
	const { cookie, status } = await signInAt(gateway.url, ana).catch(() => ({
		cookie: "",
		status: 0,
	}));
	assert.deepEqual([await whoIs(cookie), status], [undefined, 403]);
	assert.ok((await gateway.reconfigure({ identity: identity(), servers })).ok);
});

test("an answer of a provider is good once, in the browser that began it", async () => {
	const [mine, theirs] = [new Browser(gateway.url), new Browser(gateway.url)];
	const back = await comeBackFrom(await mine.visit("/sign-in/with/partner"), "pat");
	await theirs.visit("/sign-in/with/partner");
	const taken = await theirs.follow(back);
	assert.equal(taken.status, 403);
	assert.equal(await whoIsIn(theirs), "nobody");
	const nobody = await new Browser(gateway.url).follow(back);
	assert.equal(nobody.status, 403);
	assert.equal((await mine.follow(back)).url.pathname, "/");
	assert.equal(await whoIsIn(mine), "partner/pat");
	const again = await mine.follow(back);
	assert.equal(again.status, 400);
});

test("a picture on another site begins nothing at a provider", async () => {
	const headers = { "sec-fetch-dest": "image", "sec-fetch-site": "cross-site" };
	const answer = await fetch(`${gateway.url}/sign-in/with/partner`, {
		headers,
		redirect: "manual",
	});
	assert.equal(answer.status, 400);
});

test("whoever begins again and again at a provider has to wait", async () => {
	const begin = () => new Browser(gateway.url).visit("/sign-in/with/partner");
	let answer = await begin();
	for (let count = 0; answer.status === 303 && count < 100; count += 1) answer = await begin();
	assert.equal(answer.status, 429);
	assert.match(answer.text, /Too many sign-ins were begun/);
});

test("whoever guesses has to wait, on the page and over the API alike, and others need not", async () => {
	const wrong = { name: "acme/bob", password: "not the password" };
	for (let times = 0; times < 3; times += 1) {
		const refused = await signInAt(gateway.url, wrong);
		assert.equal(refused.status, 401);
		assert.match(refused.text, /Name or password is wrong/);
		assert.ok(refused.text.includes('value="acme/bob"'), "the name need not be typed again");
	}
	const overApi = () =>
		fetch(`${gateway.url}/api/session`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(wrong),
		});
	for (let times = 0; times < 2; times += 1) assert.equal((await overApi()).status, 401);
	const stopped = await overApi();
	assert.equal(stopped.status, 429);
	assert.ok(Number(stopped.headers.get("retry-after")) > 0);
	const page = await signInAt(gateway.url, wrong);
	assert.deepEqual([page.status, page.headers.get("retry-after") !== null], [429, true]);
	assert.equal((await signInAt(gateway.url, ana)).status, 303);
});

test("a person who is signed out while no gateway runs is so when it starts again", async (t) => {
	const one = await startGateway({ identity: { login: {} }, servers: {} }, { drain_ms: 100 });
	const { folder } = one;
	const keep = { folder, port: Number(new URL(one.url).port) };
	let running = one;
	t.after(() => running.stop());
	const run = (...words: string[]) => runCli(["user", ...words], { cwd: folder });
	assert.equal((await run("add", "acme/ana", "--passwordless")).code, 0);
	const token = await readAdminToken(one.daemon.plan.data);
	assert.ok(token.ok);
	const changed = await fetch(`${one.url}/api/users/acme/ana`, {
		method: "POST",
		headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
		body: JSON.stringify({ password }),
	});
	assert.equal(changed.status, 200);
	const { cookie } = await signInAt(one.url, ana);
	const status = async () =>
		(await fetch(`${running.url}/api/session`, { headers: { cookie } })).status;
	await one.daemon.stop();
	running = await startGateway({ identity: { login: {} }, servers: {} }, keep);
	assert.equal(await status(), 200, "a session outlives a restart");
	await running.daemon.stop();
	const ended = await run("logout", "acme/ana");
	assert.equal(ended.code, 0, ended.stderr);
	running = await startGateway({ identity: { login: {} }, servers: {} }, keep);
	assert.equal(await status(), 401);
	await one.stop();
});
