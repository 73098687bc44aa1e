import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	authorization,
	callback,
	logInAndConsent,
	password,
	pkce,
	startLogin,
	type Visit,
} from "../../test/support/login-scene.ts";

async function setUp(t: TestContext, client: Readonly<Record<string, unknown>> = {}) {
	const scene = await startLogin();
	t.after(() => scene.close());
	await scene.client({
		client_id: "app",
		client_name: "The App",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
		...client,
	});
	const browser = scene.browser();
	const address = authorization(scene, pkce().challenge);
	return { scene, browser, address };
}

const tokenIn = (page: Visit) => /name="token" value="([^"]*)"/.exec(page.text)?.[1] ?? "";

test("the consent page names the client, what it may, and where the answer goes", async (t) => {
	const { browser, address } = await setUp(t);
	const page = await browser.submit(await browser.follow(address), "login", {
		name: "ana",
		password,
	});
	for (const text of [
		"The App",
		"app",
		"use the MCP servers",
		"/mcp",
		"client.example",
		"acme/ana",
	]) {
		assert.ok(page.text.includes(text), text);
	}
	assert.doesNotMatch(page.text, /on this computer/);
});

test("a client on the person's own machine is asked about each time, with a warning", async (t) => {
	const redirect_uri = "http://127.0.0.1:3118/cb";
	const client = { redirect_uris: ["http://127.0.0.1/cb"], application_type: "native" };
	const { scene, browser } = await setUp(t, client);
	const address = () => authorization(scene, pkce().challenge, { redirect_uri });
	await logInAndConsent(browser, address());
	const again = await browser.follow(address());
	assert.match(again.text, /program on this computer/);
	const done = await browser.submit(again, "consent");
	assert.equal(done.location?.host, "127.0.0.1:3118");
});

test("a web client that was allowed is let through the next time", async (t) => {
	const { scene, browser, address } = await setUp(t);
	await logInAndConsent(browser, address);
	const again = await browser.follow(authorization(scene, pkce().challenge));
	assert.ok(again.location?.searchParams.get("code"));
});

test("consent is per client: what one was allowed lets no other through, whatever it calls itself", async (t) => {
	const { scene, browser, address } = await setUp(t);
	await logInAndConsent(browser, address);
	const metadata = {
		client_id: "other",
		client_name: "The App",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	};
	await scene.client(metadata);
	const page = await browser.follow(authorization(scene, pkce().challenge, { client_id: "other" }));
	assert.equal(page.location, undefined);
	assert.match(page.text, /to act for you/);
	assert.ok(page.text.includes("other"), "it is named as what it is");
});

test("another browser is asked to log in and to consent again", async (t) => {
	const { scene, browser, address } = await setUp(t);
	await logInAndConsent(browser, address);
	const page = await scene.browser().follow(authorization(scene, pkce().challenge));
	assert.match(page.text, /<h1>Log in<\/h1>/);
});

test("who refuses, or cancels, sends the client away with access_denied and nothing else", async (t) => {
	for (const when of ["login", "consent"]) {
		const { scene, browser, address } = await setUp(t);
		let page = await browser.follow(address);
		if (when === "consent") page = await browser.submit(page, "login", { name: "ana", password });
		const { location } = await browser.submit(page, "abort");
		assert.equal(location?.searchParams.get("error"), "access_denied");
		assert.equal(location?.searchParams.get("iss"), scene.issuer);
		assert.equal(location?.searchParams.get("code"), null);
	}
});

test("pages have nothing inline, are not framed, not kept, and send forms only where they must", async (t) => {
	const { scene, browser, address } = await setUp(t);
	const page = await browser.follow(address);
	const policy = page.headers.get("content-security-policy") ?? "";
	assert.match(policy, /default-src 'none'; style-src 'self'; /);
	assert.match(policy, /form-action 'self' https:\/\/client\.example;/);
	assert.match(policy, /frame-ancestors 'none'/);
	assert.doesNotMatch(policy, /unsafe/);
	assert.equal(page.headers.get("cache-control"), "no-store");
	assert.equal(page.headers.get("x-frame-options"), "DENY");
	assert.doesNotMatch(page.text, /<script|style=|\son\w+=/);
	assert.match(page.text, /<meta name="viewport" content="width=device-width/);
	const style = await fetch(`${scene.issuer}/oauth/style.css`);
	assert.equal(style.headers.get("content-type"), "text/css; charset=utf-8");
	assert.match(await style.text(), /color-scheme: light dark/);
});

test("cookies are for the server alone: not for scripts, not for other sites", async (t) => {
	const { browser, address } = await setUp(t);
	const first = await browser.visit(address);
	const cookies = first.headers.getSetCookie();
	assert.ok(cookies.length >= 4);
	for (const cookie of cookies) assert.match(cookie, /; samesite=lax; httponly/i, cookie);
	const interaction = cookies.filter((cookie) => cookie.startsWith("moorage_interaction"));
	for (const cookie of interaction) assert.match(cookie, /path=\/oauth\/interaction\/[\w-]+;/i);
});

test("a form without the page's token, or from another site, does nothing", async (t) => {
	const { browser, address } = await setUp(t);
	const page = await browser.follow(address);
	const target = `${page.url.pathname}/login`;
	const token = tokenIn(page);
	assert.notEqual(token, "");
	for (const [fields, headers] of [
		[{}, {}],
		[{ token: "x" }, {}],
		[{ token: `${token}x` }, {}],
		[{ token }, { "sec-fetch-site": "cross-site" }],
		[{ token }, { "sec-fetch-site": "same-site" }],
	] as const) {
		const refused = await browser.visit(target, {
			method: "POST",
			headers,
			body: new URLSearchParams({ name: "ana", password, ...fields }),
		});
		assert.equal(refused.status, 403);
		assert.match(refused.text, /This form is not ours/);
	}
	const good = await browser.submit(page, "login", { name: "ana", password });
	assert.match(good.text, /to act for you/);
});

test("a form of one person's page does not work in another browser", async (t) => {
	const { scene, browser, address } = await setUp(t);
	const page = await browser.follow(address);
	const other = scene.browser();
	await other.follow(address);
	const refused = await other.visit(`${page.url.pathname}/login`, {
		method: "POST",
		body: new URLSearchParams({ token: tokenIn(page), name: "bob", password }),
	});
	assert.equal(refused.status, 400);
	assert.match(refused.text, /This page is over/);
});

test("consent cannot be given before the login, nor a login after it", async (t) => {
	const { browser, address } = await setUp(t);
	const login = await browser.follow(address);
	const early = await browser.visit(`${login.url.pathname}/consent`, {
		method: "POST",
		body: new URLSearchParams({ token: tokenIn(login) }),
	});
	assert.equal(early.status, 400);
	const consent = await browser.submit(login, "login", { name: "ana", password });
	const late = await browser.visit(`${consent.url.pathname}/login`, {
		method: "POST",
		body: new URLSearchParams({ token: tokenIn(consent), name: "bob", password }),
	});
	assert.equal(late.status, 400);
});

test("a page is good once", async (t) => {
	const { browser, address } = await setUp(t);
	const login = await browser.follow(address);
	await browser.submit(login, "login", { name: "ana", password });
	const again = await browser.visit(login.url);
	assert.equal(again.status, 400);
	assert.match(again.text, /This page is over/);
});

test("a wrong name and a wrong password are told the same way", async (t) => {
	const { browser, address } = await setUp(t);
	let page = await browser.follow(address);
	for (const [name, wrong] of [
		["ana", "wrong horse"],
		["nobody", password],
		["", ""],
	] as const) {
		page = await browser.submit(page, "login", { name, password: wrong }).then(async (answer) => {
			assert.equal(answer.status, 401);
			assert.match(answer.text, /Name or password is wrong\./);
			return { ...answer, url: page.url };
		});
	}
});

test("guessing is stopped after five tries, for that name from that address", async (t) => {
	const { scene, browser, address } = await setUp(t);
	let page = await browser.follow(address);
	const guess = (name: string, guessed: string, from: string) =>
		browser.visit(`${page.url.pathname}/login`, {
			method: "POST",
			headers: { "x-forwarded-for": from },
			body: new URLSearchParams({ token: tokenIn(page), name, password: guessed }),
		});
	for (let tries = 0; tries < 5; tries += 1) {
		assert.equal((await guess("ana", "wrong horse", "192.0.2.1")).status, 401);
	}
	const stopped = await guess("ana", password, "192.0.2.1");
	assert.equal(stopped.status, 429);
	assert.match(stopped.text, /Too many attempts. Try again in 15 min/);
	assert.equal(stopped.headers.get("retry-after"), "900");
	assert.equal((await guess("bob", "wrong horse", "192.0.2.1")).status, 401);
	const elsewhere = await guess("ana", "wrong horse", "198.51.100.7");
	assert.equal(elsewhere.status, 401, "behind the same proxy, somebody else is somebody else");
	await scene.clock.advance(15 * 60_000 + 1);
	page = await browser.follow(authorization(scene, pkce().challenge));
	assert.equal((await guess("ana", "wrong horse", "192.0.2.1")).status, 401);
	assert.equal((await guess("ana", password, "198.51.100.7")).status, 303);
});

test("names that want to be markup or to mislead are shown as what they are", async (t) => {
	const evil = '<img src=x onerror=alert(1)>"\u202egnp';
	const { browser, address } = await setUp(t, { client_name: evil });
	const login = await browser.follow(address);
	const consent = await browser.submit(login, "login", { name: "ana", password });
	for (const page of [login, consent]) {
		assert.ok(page.text.includes("&lt;img src=x onerror=alert(1)&gt;&quot;\ufffdgnp"));
		assert.ok(!page.text.includes("<img"));
	}
});

test("a form that is too large, or no form, is refused", async (t) => {
	const { browser, address } = await setUp(t);
	const page = await browser.follow(address);
	const send = (body: string, type: string) =>
		browser.visit(`${page.url.pathname}/login`, {
			method: "POST",
			headers: { "content-type": type },
			body,
		});
	const form = "application/x-www-form-urlencoded";
	assert.equal((await send(`name=${"x".repeat(20_000)}`, form)).status, 413);
	assert.equal((await send('{"name":"ana"}', "application/json")).status, 413);
});

test("behind a proxy with TLS everything is at the public address, whatever a request says", async (t) => {
	const scene = await startLogin({}, { issuer: "https://mcp.example.com" });
	t.after(() => scene.close());
	await scene.client({
		client_id: "app",
		redirect_uris: [callback],
		token_endpoint_auth_method: "none",
	});
	const browser = scene.browser();
	const lies = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" };
	const target = new URL(authorization(scene, pkce().challenge));
	const first = await browser.visit(target.pathname + target.search, { headers: lies });
	const cookies = first.headers.getSetCookie();
	for (const cookie of cookies) {
		assert.match(cookie, /^__(Host|Secure)-moorage_/);
		assert.match(cookie, /; secure/i);
	}
	assert.equal(first.status, 303);
	const page = await browser.visit(first.location?.pathname ?? "", { headers: lies });
	assert.match(page.text, /<h1>Log in<\/h1>/);
	const done = await browser.visit(`${page.url.pathname}/login`, {
		method: "POST",
		headers: lies,
		body: new URLSearchParams({ token: tokenIn(page), name: "ana", password }),
	});
	assert.equal(done.location?.origin, "https://mcp.example.com");
	const document = await browser.visit("/.well-known/openid-configuration", { headers: lies });
	const { issuer, token_endpoint } = JSON.parse(document.text) as Record<string, string>;
	assert.equal(issuer, "https://mcp.example.com");
	assert.equal(token_endpoint, "https://mcp.example.com/oauth/token");
});
