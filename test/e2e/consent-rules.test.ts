import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
	type ConsentingProvider,
	PersonInBrowser,
	startConsentingProvider,
} from "../support/consenting-provider.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import type { Visit } from "../support/login-scene.ts";

/*
 * What a proxy in front of other people's authorization servers has to keep to, so that nobody is
 * made to lend their account ("confused deputy"; MCP security best practices, 2025-11-25). One
 * rule, one test; those for clients of the gateway's own login are in src/login/pages.test.ts.
 */

type Person = "ana" | "bob";
const keys = { ana: newApiKey(systemRandom), bob: newApiKey(systemRandom) };
const public_url = "https://moorage.example";

let provider: ConsentingProvider;
/** Behind something that ends TLS: cookies are those of an https address. */
let gateway: TestGateway;

before(async () => {
	provider = await startConsentingProvider();
	const entry = (user: Person) => ({
		name: user,
		hash: `sha256:${hashApiKey(keys[user])}`,
		tenant: "acme",
		user,
		roles: ["member"],
	});
	const remote = {
		url: `${provider.issuer}/mcp`,
		auth: "oauth",
		scope: "user",
		start: "on-demand",
	};
	gateway = await startGateway(
		{
			public_url,
			trusted_proxies: ["192.0.2.1"],
			identity: { keys: [entry("ana"), entry("bob")] },
			servers: { notes: remote, more: remote },
		},
		{ drain_ms: 100 },
	);
});

after(async () => {
	await gateway.stop();
	await provider.stop();
});

beforeEach(async () => {
	for (const person of ["ana", "bob"] as const) {
		for (const server of ["notes", "more"]) await api(person, "DELETE", server);
	}
});

async function api(person: Person, method: string, server = "") {
	const headers = { authorization: `Bearer ${keys[person]}` };
	const path = server === "" ? "/api/me/grants" : `/api/me/grants/${server}`;
	const answer = await fetch(gateway.url + path, { method, headers });
	return (await answer.json()) as { grants: { server: string; connected: boolean }[]; url: string };
}

async function connected(person: Person): Promise<string[]> {
	const { grants } = await api(person, "GET");
	return grants.flatMap((one) => (one.connected ? [one.server] : []));
}

function browser(): PersonInBrowser {
	return new PersonInBrowser(gateway.url, public_url);
}

/** The page on which somebody is asked, in a browser in which they are signed in. */
async function consentPage(person: Person, server = "notes", at = browser()) {
	const page = await at.signIn((await api(person, "POST", server)).url, keys[person]);
	return { at, page };
}

/** As far as the issuer's answer, which is not delivered. */
async function answered(person: Person, at = browser()) {
	const { page } = await consentPage(person, "notes", at);
	const leaving = await at.answer(page);
	const next = nextOf(leaving);
	const back = await at.answer(await at.open(next), { account: person }, "/oauth/callback");
	assert.ok(back.location !== undefined, back.text);
	return { at, leaving, callback: back.location };
}

/** Where the page that leads on leads to. */
function nextOf(leaving: Visit): URL {
	const found = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(leaving.text)?.[1];
	assert.ok(found !== undefined, leaving.text);
	return new URL(found.replaceAll("&amp;", "&"));
}

test("per-client consent: our client at the issuer has its own for each person and server", async () => {
	const { at, page } = await consentPage("ana");
	await at.answer(await at.agree(page), { account: "ana" });
	assert.deepEqual(await connected("ana"), ["notes"]);
	assert.deepEqual(await connected("bob"), []);
	const other = await consentPage("ana", "more", at);
	assert.match(other.page.text, /<button>Connect<\/button>/, "the other server asks anew");
	const again = await consentPage("bob");
	assert.match(again.page.text, /<button>Connect<\/button>/);
});

test("consent is asked for before anything is asked of the issuer", async () => {
	const before_it = await provider.requests("/auth");
	const { at, page } = await consentPage("ana");
	assert.equal(await provider.requests("/auth"), before_it);
	await at.agree(page);
	assert.equal(await provider.requests("/auth"), before_it + 1);
});

test("the consent page names the server, the issuer, the scopes, and where the answer goes", async () => {
	const { page } = await consentPage("ana");
	for (const text of [
		"<dd>notes</dd>",
		`<dd>${provider.issuer}</dd>`,
		"<dd>notes.read",
		`<dd>${public_url}/oauth/callback</dd>`,
		"<dd>acme/ana</dd>",
	]) {
		assert.ok(page.text.includes(text), text);
	}
});

test("redirects match exactly: answers come to one address, and are taken nowhere else", async () => {
	const { at, leaving, callback } = await answered("ana");
	assert.equal(nextOf(leaving).searchParams.get("redirect_uri"), `${public_url}/oauth/callback`);
	assert.equal(callback.origin + callback.pathname, `${public_url}/oauth/callback`);
	for (const path of ["/oauth/callback/", "/oauth/callback/notes", "/oauth/connect/callback"]) {
		const elsewhere = await at.open(gateway.url + path + callback.search);
		assert.ok([401, 404].includes(elsewhere.status), `${path}: ${elsewhere.status}`);
	}
	assert.deepEqual(await connected("ana"), []);
	assert.equal((await at.open(callback)).status, 200);
});

test("state is unguessable, and another one for each authorization", async () => {
	const states: string[] = [];
	for (const person of ["ana", "bob"] as const) {
		const { at, page } = await consentPage(person);
		states.push(new URL(await at.leave(page)).searchParams.get("state") ?? "");
		await api(person, "DELETE", "notes");
		const next = await consentPage(person);
		states.push(new URL(await next.at.leave(next.page)).searchParams.get("state") ?? "");
	}
	assert.equal(new Set(states).size, 4);
	for (const state of states) assert.match(state, /^[\w-]{43}$/, "256 bits");
});

test("state is good once", async () => {
	const { at, callback } = await answered("ana");
	assert.equal((await at.open(callback)).status, 200);
	const again = await at.open(callback);
	assert.equal(again.status, 404, again.text);
});

test("an answer without state, or with another, is refused and uses nothing up", async () => {
	const { at, callback } = await answered("ana");
	for (const state of [undefined, "", "x".repeat(43)]) {
		const forged = new URL(callback);
		if (state === undefined) forged.searchParams.delete("state");
		else forged.searchParams.set("state", state);
		assert.equal((await at.open(forged)).status, 404);
	}
	assert.equal((await at.open(callback)).status, 200);
});

test("state is bound to the browser that consented: not even the same person brings it in another", async () => {
	const other = browser();
	await consentPage("ana", "more", other);
	const { at, callback } = await answered("ana");
	const refused = await other.open(callback);
	assert.equal(refused.status, 403, refused.text);
	assert.match(refused.text, /was not begun/);
	assert.deepEqual(await connected("ana"), []);
	assert.equal((await at.open(callback)).status, 200, "the right one may still come");
});

test("the cookie of a state is set with the consent, not before, and taken away with the answer", async () => {
	const { at, page } = await consentPage("ana");
	assert.deepEqual(page.headers.getSetCookie(), []);
	const leaving = await at.answer(page);
	const [set = "", ...none] = leaving.headers.getSetCookie();
	assert.deepEqual(none, []);
	assert.match(set, /_consent_[0-9a-f]{16}=[\w-]{43}; /);
	assert.match(set, /; Max-Age=600(;|$)/);
	const done = await at.answer(await at.open(nextOf(leaving)), { account: "ana" });
	const [gone = ""] = done.headers.getSetCookie();
	assert.equal(gone.split("=")[0], set.split("=")[0]);
	assert.match(gone, /=; .*Max-Age=0(;|$)/);
});

test("cookies are bound to exactly this host, and are no script's and no other site's", async () => {
	const at = browser();
	const sign_in = await at.open(`${gateway.url}/oauth/connect`);
	const signed_in = await fetch(sign_in.url, {
		method: "POST",
		body: new URLSearchParams({ credential: keys.ana }),
		redirect: "manual",
	});
	const { leaving } = await answered("bob");
	const cookies = [...signed_in.headers.getSetCookie(), ...leaving.headers.getSetCookie()];
	assert.equal(cookies.length, 2);
	for (const cookie of cookies) {
		assert.match(cookie, /^__Host-moorage_session_\w+=/);
		const attributes = new Set(cookie.split("; ").slice(1));
		for (const one of ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]) {
			assert.ok(attributes.has(one), `${one}: ${cookie}`);
		}
		assert.doesNotMatch(cookie, /domain/i);
	}
});

test("a cookie of the same name without its prefix, as a neighbour can plant it, counts for nothing", async () => {
	const asked = await fetch(`${gateway.url}/oauth/connect`);
	const [attempt = ""] = (asked.headers.get("set-cookie") ?? "").split(";");
	const token = /name="token" value="([^"]*)"/.exec(await asked.text())?.[1] ?? "";
	const signed_in = await fetch(`${gateway.url}/sign-in`, {
		method: "POST",
		headers: { cookie: attempt },
		body: new URLSearchParams({ token, to: "/oauth/connect", credential: keys.ana }),
		redirect: "manual",
	});
	const set = signed_in.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
	const cookie = set.find((one) => /^__Host-moorage_session_[a-z0-9]+=./.test(one)) ?? "";
	const visit = (value: string) =>
		fetch(`${gateway.url}/oauth/connect`, { headers: { cookie: value } });
	assert.equal((await visit(cookie)).status, 200);
	assert.equal((await visit(cookie.replace("__Host-", ""))).status, 401);
});

test("clickjacking: no page is framed, whatever it says", async () => {
	const { at, page, leaving } = await consentPage("ana").then(async (one) => ({
		...one,
		leaving: await one.at.answer(one.page),
	}));
	const done = await at.answer(await at.open(nextOf(leaving)), { account: "ana" });
	const pages = [
		page,
		leaving,
		done,
		await at.open(`${gateway.url}/oauth/connect`),
		await at.open(`${gateway.url}/oauth/connect/absent`),
		await at.open(`${gateway.url}/oauth/callback?state=unknown`),
		await browser().open(`${gateway.url}/oauth/connect`),
		await (await consentPage("bob")).at.open((await api("ana", "POST", "more")).url),
	];
	assert.deepEqual(new Set(pages.map(({ status }) => status)), new Set([200, 404, 401, 403]));
	for (const { headers, status, url } of pages) {
		const where = `${status} ${url.pathname}`;
		assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/, where);
		assert.equal(headers.get("x-frame-options"), "DENY", where);
		// With `no-referrer` browsers would send our own forms as if they were somebody else's.
		assert.equal(headers.get("referrer-policy"), "same-origin", where);
	}
});

test("forged requests: agreeing and ending need what our own page alone has", async () => {
	const { at, page } = await consentPage("ana");
	const cross = { headers: { "sec-fetch-site": "cross-site" } };
	const form = [...page.text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
		([, name = "", value = ""]) => [name, value] as [string, string],
	);
	const body = new URLSearchParams(form);
	const from_elsewhere = await at.open(page.url, { ...cross, method: "POST", body });
	assert.equal(from_elsewhere.status, 400);
	const without = new URLSearchParams(form.filter(([name]) => name !== "csrf"));
	assert.equal((await at.open(page.url, { method: "POST", body: without })).status, 403);
	await at.answer(await at.agree(page), { account: "ana" });
	const list = `${gateway.url}/oauth/connect`;
	const end = new URLSearchParams({ end: "notes" });
	assert.equal((await at.open(list, { method: "POST", body: end })).status, 403);
	assert.equal((await at.open(list, { ...cross, method: "POST", body: end })).status, 400);
	assert.deepEqual(await connected("ana"), ["notes"]);
});

test("the page lists what its visitor has connected and could, and ends it", async () => {
	const { at, page } = await consentPage("ana");
	const done = await at.answer(await at.agree(page), { account: "ana" });
	const link = /href="(\/oauth\/connect)"/.exec(done.text)?.[1];
	assert.ok(link !== undefined, done.text);
	const listed = await at.open(gateway.url + link);
	assert.match(
		listed.text,
		new RegExp(`notes</h2>[^]*Connected at ${provider.issuer}, for notes.read`),
	);
	assert.match(listed.text, /href="\/oauth\/connect\/more">Connect more</);
	const nobody_elses = await consentPage("bob").then(({ at: his }) => his.open(listed.url));
	assert.doesNotMatch(nobody_elses.text, /Connected at/);
	const csrf = /name="csrf" value="([^"]*)"/.exec(listed.text)?.[1] ?? "";
	const body = new URLSearchParams({ csrf, end: "notes" });
	const ended = await at.open(listed.url, { method: "POST", body });
	assert.equal(ended.status, 200);
	assert.match(ended.text, /notes is not connected any more/);
	assert.match(ended.text, /href="\/oauth\/connect\/notes">Connect notes</);
	assert.deepEqual(await connected("ana"), []);
	assert.equal(await provider.tokensOf("ana"), 0, "its issuer has been told");
	const twice = await at.open(listed.url, { method: "POST", body });
	assert.match(twice.text, /no authorization at the server/);
});
