import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import type { IdentityPlan } from "../config/plan-identity.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { IdentityTokens } from "../login/identity-tokens.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { SignInDesk } from "./sign-in-desk.ts";

test("whoever signs out has the token revoked that was renewed last, and the one they came with", async (t) => {
	const { privateKey, publicKey } = await generateKeyPair("RS256");
	const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "RS256", use: "sig" };
	const clock = new FakeClock(Date.now());
	const idToken = () =>
		new SignJWT({ sub: "ana", jti: systemRandom.uuid() })
			.setProtectedHeader({ alg: "RS256", kid: "k" })
			.setIssuer(issuer)
			.setAudience("us")
			.setIssuedAt(Math.floor(clock.now() / 1000))
			.setExpirationTime(Math.floor(clock.now() / 1000) + 600)
			.sign(privateKey);
	const revoked: (string | null)[] = [];
	const server = createServer(async (request, response) => {
		const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
		const token = { access_token: "x", token_type: "Bearer", refresh_token: "refresh-token-2" };
		const answers: Record<string, () => object | Promise<object>> = {
			"/.well-known/openid-configuration": () => ({
				issuer,
				token_endpoint: `${issuer}/token`,
				jwks_uri: `${issuer}/jwks`,
				revocation_endpoint: `${issuer}/revoke`,
			}),
			"/jwks": () => ({ keys: [jwk] }),
			"/token": async () => ({ ...token, id_token: await idToken() }),
			"/revoke": () => ({ count: revoked.push(form.get("token")) }),
		};
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify(await answers[request.url ?? ""]?.()));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	t.after(() => server.close());
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const store = await openTestStore(systemClock, ":memory:");
	t.after(() => store.database.close());
	const box = new SecretBox(Buffer.alloc(box_key_bytes, 7), systemRandom);
	const records = { repository: store.repositories.login, box, clock };
	const company = { name: "company", issuer, client_id: "us", client_secret: "s3cret" };
	const around = { records, clock, log: new QuietLog() };
	const identities = new IdentityTokens({
		...around,
		redactor: new SecretRedactor(),
		providers: () => [company],
		isWanted: () => true,
		onKept: () => undefined,
	});
	const desk = new SignInDesk({
		...around,
		identities,
		random: systemRandom,
		baseUrl: () => "https://gateway.example",
		endLogin: () => Promise.resolve([]),
	} as unknown as ConstructorParameters<typeof SignInDesk>[0]);
	desk.use({ login: { federated: [company] } } as unknown as IdentityPlan);
	const tokens = { id_token: await idToken(), refresh_token: "refresh-token-1" };
	await identities.keep("acme/ana", company, tokens);
	await clock.advance(590_000);
	assert.notEqual((await identities.of("acme/ana", undefined))?.id_token, tokens.id_token);
	const login = { provider: "company", issuer, token: "refresh-token-1" };
	const holder = { kind: "account", tenant: "acme", user: "ana", mark: "m", elsewhere: login };
	await desk.leave(holder as Parameters<typeof desk.leave>[0], "acme/ana", undefined);
	assert.deepEqual(revoked.toSorted(), ["refresh-token-1", "refresh-token-2"]);
});
