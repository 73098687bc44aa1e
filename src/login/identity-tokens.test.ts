import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { until } from "../../test/support/until.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { IdentityTokens } from "./identity-tokens.ts";

/** A provider that renews identities as it is told to, and the tokens of people that are kept. */
async function rig(t: TestContext) {
	const { privateKey, publicKey } = await generateKeyPair("RS256");
	const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "RS256", use: "sig" };
	const asked: string[] = [];
	const provider = { answer: undefined as object | undefined, status: 200 };
	const json =
		(status: number, body: object): RequestListener =>
		(_, response) => {
			response.writeHead(status, { "content-type": "application/json" });
			response.end(JSON.stringify(body));
		};
	const server = createServer((request, response) => {
		if (request.url === "/.well-known/openid-configuration") {
			const [token_endpoint, jwks_uri] = [`${issuer}/token`, `${issuer}/jwks`];
			return json(200, { issuer, token_endpoint, jwks_uri })(request, response);
		}
		if (request.url === "/jwks") return json(200, { keys: [jwk] })(request, response);
		let body = "";
		request.on("data", (chunk: Buffer) => (body += chunk.toString()));
		request.on("end", () => {
			asked.push(new URLSearchParams(body).get("refresh_token") ?? "");
			json(provider.status, provider.answer ?? {})(request, response);
		});
		return undefined;
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const clock = new FakeClock(Date.now());
	const token = (life_s: number, sub = "ana") =>
		new SignJWT({ sub, jti: systemRandom.uuid() })
			.setProtectedHeader({ alg: "RS256", kid: "k" })
			.setIssuer(issuer)
			.setAudience("us")
			.setIssuedAt(Math.floor(clock.now() / 1000))
			.setExpirationTime(Math.floor(clock.now() / 1000) + life_s)
			.sign(privateKey);
	const store = await openTestStore(systemClock, ":memory:");
	t.after(() => store.database.close());
	const box = new SecretBox(Buffer.alloc(box_key_bytes, 7), systemRandom);
	const records = { repository: store.repositories.login, box, clock };
	const company = { name: "company", issuer, client_id: "us", client_secret: "s3cret" };
	const kept: string[] = [];
	const secrets = new SecretRedactor();
	const told = new Set<string>();
	const redactor = {
		text: (text: string) => secrets.text(text),
		add: (value: string) => secrets.add(value) && told.add(value),
		forget: (value: string) => secrets.forget(value) ?? told.delete(value),
	};
	const wanted = { is: true };
	const tokens = new IdentityTokens({
		...{ records, clock, redactor },
		isWanted: () => wanted.is,
		log: new QuietLog(),
		providers: () => [company],
		onKept: (account) => kept.push(account),
	});
	return { asked, provider, clock, token, store, company, kept, redactor, told, tokens, wanted };
}

test("an identity is had until shortly before its end", async (t) => {
	const { clock, token, company, kept, redactor, tokens } = await rig(t);
	const id_token = await token(600);
	await tokens.keep("acme/ana", company, { id_token, refresh_token: undefined });
	assert.deepEqual(kept, ["acme/ana"]);
	assert.equal((await tokens.of("acme/ana", undefined))?.id_token, id_token);
	assert.equal((await tokens.of("acme/ana", "company"))?.id_token, id_token);
	assert.equal(await tokens.of("acme/ana", "another"), undefined);
	assert.equal(await tokens.of("acme/bob", undefined), undefined);
	assert.equal(redactor.text(`it is ${id_token}`).includes(id_token), false);
	await clock.advance(580_000);
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
});

test("one that ends is renewed once for all who want it, with the newest refresh token", async (t) => {
	const { asked, provider, clock, token, company, tokens } = await rig(t);
	const id_token = await token(600);
	await tokens.keep("acme/ana", company, { id_token, refresh_token: "refresh-token-1" });
	for (const [before, after] of [
		["refresh-token-1", "refresh-token-2"],
		["refresh-token-2", undefined],
		["refresh-token-2", undefined],
	]) {
		await clock.advance(590_000);
		const next = await token(600);
		const more = after === undefined ? {} : { refresh_token: after };
		provider.answer = { id_token: next, access_token: "x", token_type: "Bearer", ...more };
		const found = await Promise.all([1, 2, 3].map(() => tokens.of("acme/ana", undefined)));
		assert.deepEqual(
			found.map((one) => one?.id_token),
			[next, next, next],
		);
		assert.equal(asked.at(-1), before);
	}
	assert.equal(asked.length, 3);
});

test("what the provider does not renew is gone; while it is out of order it is kept", async (t) => {
	const { asked, provider, clock, token, company, tokens } = await rig(t);
	const id_token = await token(600);
	await tokens.keep("acme/ana", company, { id_token, refresh_token: "refresh-token-1" });
	await clock.advance(590_000);
	for (const bad of [
		{ status: 429, answer: { error: "slow_down" } },
		{ status: 401, answer: { error: "invalid_client" } },
		{ status: 503, answer: { error: "server_error" } },
		{ status: 200, answer: { hello: 1 } },
		{ status: 200, answer: { access_token: "x", token_type: "Bearer" } },
		{ status: 200, answer: { id_token: "nonsense", access_token: "x", token_type: "Bearer" } },
	]) {
		Object.assign(provider, bad);
		assert.equal(await tokens.of("acme/ana", undefined), undefined, JSON.stringify(bad));
	}
	provider.status = 200;
	const next = await token(600);
	provider.answer = { id_token: next, access_token: "x", token_type: "Bearer" };
	assert.equal((await tokens.of("acme/ana", undefined))?.id_token, next);
	await clock.advance(590_000);
	Object.assign(provider, { status: 400, answer: { error: "invalid_grant" } });
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
	const times = asked.length;
	const answer = { id_token: await token(600), access_token: "x", token_type: "Bearer" };
	Object.assign(provider, { status: 200, answer });
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
	assert.equal(asked.length, times, "it is not asked for with what is of no use any more");
});

test("a renewed identity is that of the same person, or is not used", async (t) => {
	const { provider, clock, token, company, tokens } = await rig(t);
	const id_token = await token(600);
	await tokens.keep("acme/ana", company, { id_token, refresh_token: "refresh-token-1" });
	await clock.advance(590_000);
	const answer = { id_token: await token(600, "bob"), access_token: "x", token_type: "Bearer" };
	provider.answer = answer;
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
	answer.id_token = await token(600);
	assert.equal((await tokens.of("acme/ana", undefined))?.id_token, answer.id_token);
});

test("what is gone is not redacted any more: it would push other secrets out", async (t) => {
	const { asked, provider, clock, token, store, company, tokens, told } = await rig(t);
	const keep = async (refresh_token: string | undefined, life_s = 600) => {
		const id_token = await token(life_s);
		await tokens.keep("acme/ana", company, { id_token, refresh_token });
		const values = refresh_token === undefined ? [id_token] : [id_token, refresh_token];
		assert.deepEqual([...told].toSorted(), values.toSorted());
	};
	await keep("refresh-token-1");
	assert.deepEqual(
		(await tokens.drop("acme/ana")).map((one) => one.token),
		["refresh-token-1"],
	);
	assert.deepEqual([...told], [], "dropped");
	await keep(undefined);
	const shown = await tokens.of("acme/ana", undefined);
	assert.ok(shown !== undefined);
	await tokens.refused("acme/ana", shown);
	assert.deepEqual([...told], [], "refused");
	await keep("refresh-token-2");
	await clock.advance(590_000);
	Object.assign(provider, { status: 400, answer: { error: "invalid_grant" } });
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
	assert.deepEqual([asked.length, ...told], [1], "not renewed");
	await keep(undefined, 60);
	await clock.advance(60_000);
	await tokens.keep("acme/bob", company, { id_token: await token(600), refresh_token: undefined });
	assert.equal(told.size, 1, "over by itself");
	await store.repositories.login.removeAccount("acme/bob");
	tokens.ended("acme/bob");
	assert.deepEqual([...told], [], "removed");
});

test("signing out ends what was renewed last", async (t) => {
	const { asked, provider, clock, token, company, tokens } = await rig(t);
	const id_token = await token(600);
	await tokens.keep("acme/ana", company, { id_token, refresh_token: "refresh-token-1" });
	await clock.advance(590_000);
	const renewed = { id_token: await token(600), refresh_token: "refresh-token-2" };
	provider.answer = { ...renewed, access_token: "x", token_type: "Bearer" };
	const renewal = tokens.of("acme/ana", undefined);
	await until(() => asked.length === 1);
	const { issuer } = company;
	assert.deepEqual(await tokens.drop("acme/ana"), [
		{ provider: "company", issuer, id_token: renewed.id_token, token: "refresh-token-2" },
	]);
	await renewal;
});

test("one that was refused is not shown again", async (t) => {
	const { token, company, tokens } = await rig(t);
	await tokens.keep("acme/ana", company, { id_token: await token(600), refresh_token: undefined });
	const shown = await tokens.of("acme/ana", undefined);
	assert.ok(shown !== undefined);
	await tokens.refused("acme/ana", shown);
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
});

test("it is sealed in the store, and gone with the login or by itself", async (t) => {
	const { token, store, company, tokens } = await rig(t);
	const id_token = await token(600);
	for (const end of [
		() => tokens.drop("acme/ana"),
		() => store.repositories.login.removeAccount("acme/ana"),
	]) {
		await tokens.keep("acme/ana", company, { id_token, refresh_token: undefined });
		const [row] = await store.repositories.login.list("IdentityToken", 10);
		assert.ok(row !== undefined);
		assert.equal(JSON.stringify(row).includes(id_token), false);
		await end();
		assert.equal(await tokens.of("acme/ana", undefined), undefined);
	}
});

test("what another provider of the same name gave is not used", async (t) => {
	const { token, company, tokens } = await rig(t);
	const elsewhere = { ...company, issuer: "https://other.example" };
	const id_token = await token(600);
	await tokens.keep("acme/ana", elsewhere, { id_token, refresh_token: undefined });
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
});

test("where no server is used with it, nothing is kept", async (t) => {
	const { token, company, kept, tokens, wanted } = await rig(t);
	wanted.is = false;
	await tokens.keep("acme/ana", company, { id_token: await token(600), refresh_token: undefined });
	assert.deepEqual(kept, []);
	wanted.is = true;
	assert.equal(await tokens.of("acme/ana", undefined), undefined);
});
