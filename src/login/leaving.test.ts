import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { until } from "../../test/support/until.ts";
import type { ProviderPlan } from "../config/plan-login.ts";
import { box_key_bytes, SecretBox } from "../secrets/box.ts";
import { Federated } from "./federated.ts";

/** A provider that answers only some of what it is asked, and somebody who signs out there. */
async function setUp(t: TestContext, answered: RegExp) {
	const clock = new FakeClock();
	const random = new SeededRandom(1);
	const seen: string[] = [];
	let origin = "";
	const server = createServer(({ url = "" }, response) => {
		seen.push(url);
		if (!answered.test(url)) return;
		response.setHeader("content-type", "application/json");
		const end_session_endpoint = `${origin}/end?kind=all`;
		const revocation_endpoint = `${origin}/revoke`;
		response.end(JSON.stringify({ issuer: origin, end_session_endpoint, revocation_endpoint }));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const store = await openTestStore(clock);
	t.after(() => store.database.close());
	const box = new SecretBox(Buffer.alloc(box_key_bytes, 7), random);
	const claims = { tenant: { kind: "fixed", name: "acme" }, user: "sub" } as const;
	const provider: ProviderPlan = {
		...{ name: "partner", title: "The Partner", issuer: origin, client_id: "us" },
		...{ client_secret: "s3cret", scopes: ["openid"] },
		claims: {
			...claims,
			client: undefined,
			roles: undefined,
			role_names: undefined,
			scopes: undefined,
		},
	};
	const federated = new Federated({
		...{ providers: [provider], clock, random, log: new QuietLog(), issuer: "https://us.example" },
		records: { repository: store.repositories.login, box, clock },
	});
	const login = { provider: "partner", issuer: origin, id_token: "id", token: "to-be-revoked" };
	return { clock, federated, login, origin, seen };
}

test("a provider that never revokes keeps nobody from its page that signs them out", async (t) => {
	const { clock, federated, login, origin, seen } = await setUp(t, /openid-configuration/);
	const leaving = federated.leave(login);
	await until(() => seen.includes("/revoke"));
	await clock.advance(3_000);
	const page = await leaving;
	assert.equal(page?.href, `${origin}/end?kind=all&client_id=us&id_token_hint=id`);
});

test("a provider that does not answer at all holds nobody up", async (t) => {
	const { clock, federated, login, seen } = await setUp(t, /nothing/);
	const leaving = federated.leave(login);
	await until(() => seen.length === 1);
	await clock.advance(3_000);
	assert.equal(await leaving, undefined);
});

test("a provider that is another now, or none any more, hears nothing", async (t) => {
	const { federated, login, seen } = await setUp(t, /./);
	assert.equal(await federated.leave({ ...login, issuer: "https://before.example" }), undefined);
	assert.equal(await federated.leave({ ...login, provider: "gone" }), undefined);
	assert.deepEqual(seen, []);
});
