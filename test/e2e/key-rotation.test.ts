import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { readAdminToken } from "../../src/admin/token.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { startGateway } from "../support/gateway.ts";
import {
	authorization,
	Browser,
	callback,
	logInAndConsent,
	password,
	pkce,
	postForm,
} from "../support/login-scene.ts";
import { tempFolder } from "../support/temp-folder.ts";

const hour_ms = 60 * 60_000;
const month_ms = 30 * 24 * hour_ms;

/** The machine's clock with a date to be set, whose hourly work is done when a test says so. */
function settableClock(offset_ms: number) {
	let hourly: (() => void)[] = [];
	const clock: Clock = {
		...systemClock,
		now: () => systemClock.now() + made.offset_ms,
		afterIdle(delay_ms, fn) {
			if (delay_ms !== hour_ms) return systemClock.afterIdle(delay_ms, fn);
			hourly.push(fn);
			return { cancel: () => void (hourly = hourly.filter((one) => one !== fn)) };
		},
	};
	const made = {
		clock,
		offset_ms,
		strikeHour() {
			for (const fn of hourly.splice(0)) fn();
		},
	};
	return made;
}

const initialize = {
	jsonrpc: "2.0",
	id: 1,
	method: "initialize",
	params: {
		protocolVersion: "2025-11-25",
		capabilities: {},
		clientInfo: { name: "rotation-test", version: "1" },
	},
};

test("when the keys change, tokens of the old and of the new are good, after a restart too", async (t) => {
	const folder = await tempFolder(t);
	// The first key is made a month ago.
	const time = settableClock(-month_ms);
	const config = { identity: { scopes: ["mcp"], login: {} }, servers: {} };
	const start = (port?: number) =>
		startGateway(config, { folder, clock: time.clock, ...(port === undefined ? {} : { port }) });
	let gateway = await start();
	t.after(() => gateway.stop());
	const { url } = gateway;
	const admin = await readAdminToken(`${folder}/.moorage`);
	assert.ok(admin.ok);
	const add = async (path: string, body: object) => {
		const response = await fetch(`${url}${path}`, {
			method: "POST",
			headers: { authorization: `Bearer ${admin.value}`, "content-type": "application/json" },
			body: JSON.stringify(body),
		});
		assert.equal(response.status, 201, await response.text());
	};
	await add("/api/users", { tenant: "acme", user: "ana", password });
	await add("/api/clients", { client_id: "app", redirect_uris: [callback] });
	const kids = async () => {
		const { keys } = (await (await fetch(`${url}/oauth/jwks`)).json()) as {
			keys: Record<string, unknown>[];
		};
		assert.ok(keys.every((key) => key["d"] === undefined));
		return keys.map(({ kid }) => kid);
	};
	const untilKeys = async (isMet: (published: readonly unknown[]) => boolean) => {
		let published = await kids();
		while (!isMet(published)) published = await kids();
	};
	const exchange = async (fields: Record<string, string>) => {
		const got = await postForm(`${url}/oauth/token`, { client_id: "app", ...fields });
		assert.equal(got.status, 200, JSON.stringify(got.body));
		return {
			access: String(got.body["access_token"]),
			refresh_token: String(got.body["refresh_token"]),
		};
	};
	const codeFor = (answer: URL, code_verifier: string) =>
		exchange({
			grant_type: "authorization_code",
			code: answer.searchParams.get("code") ?? "",
			redirect_uri: callback,
			code_verifier,
		});
	const call = async (token: string) => {
		const response = await fetch(gateway.address(), {
			method: "POST",
			headers: {
				authorization: `Bearer ${token}`,
				"content-type": "application/json",
				accept: "application/json, text/event-stream",
			},
			body: JSON.stringify(initialize),
		});
		return `${response.status} ${response.ok ? "" : await response.text()}`.trim();
	};
	const kidOf = (token: string) => decodeProtectedHeader(token).kid;

	// It is used when it is ten minutes younger than a month.
	time.offset_ms = -10 * 60_000;
	time.strikeHour();
	const scene = { issuer: url, resource: gateway.address().href };
	const browser = new Browser(url);
	const first = pkce();
	const old = await codeFor(
		await logInAndConsent(browser, authorization(scene, first.challenge)),
		first.verifier,
	);
	assert.deepEqual(await kids(), [kidOf(old.access)]);
	assert.equal(await call(old.access), "200");

	time.offset_ms = 0;
	time.strikeHour();
	await untilKeys((published) => published.length === 2);
	// Whoever was logged in still is: the cookie is signed with the key before.
	const second = pkce();
	const again = await browser.follow(authorization(scene, second.challenge));
	const fresh = await codeFor(again.location as URL, second.verifier);
	const renewed = await exchange({ grant_type: "refresh_token", refresh_token: old.refresh_token });
	const all = [old.access, fresh.access, renewed.access];
	assert.deepEqual(await kids(), [kidOf(fresh.access), kidOf(old.access)]);
	assert.equal(kidOf(renewed.access), kidOf(fresh.access));
	for (const token of all) assert.equal(await call(token), "200");

	const before = await kids();
	await gateway.stop();
	gateway = await start(Number(new URL(url).port));
	assert.deepEqual(await kids(), before);
	for (const token of all) assert.equal(await call(token), "200");
	const later = await exchange({
		grant_type: "refresh_token",
		refresh_token: renewed.refresh_token,
	});
	assert.equal(kidOf(later.access), kidOf(fresh.access));

	// Another month, and nothing of the first key is left.
	time.offset_ms = month_ms;
	time.strikeHour();
	await untilKeys((published) => !published.includes(kidOf(old.access)));
	assert.match(await call(old.access), /^401 .*token_(expired|key)/);
});
