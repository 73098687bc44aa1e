import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
	type Deviations,
	startAuthorizationServer,
} from "../../test/support/authorization-server.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { by_itself } from "../../test/support/oauth-spec.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { until } from "../../test/support/until.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { openDatabase } from "../store/database.ts";
import { SqlGrantRepository } from "../store/grant-repository.ts";
import { SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import { UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { IdleGrants } from "./idle-grants.ts";

const ana = { tenant: "acme", user: "ana", server: "notes" };
const hour_ms = 60 * 60 * 1000;

/** Ana has connected, and calls nothing. */
async function scene(t: TestContext) {
	const deviations: Deviations = {};
	const authorization = await startAuthorizationServer(deviations);
	t.after(() => authorization.close());
	const opened = await openDatabase({ path: ":memory:" });
	assert.ok(opened.ok);
	const database = opened.value;
	t.after(() => database.close());
	const [clock, log] = [new FakeClock(), new QuietLog()];
	const box = new SecretBox(Buffer.alloc(32, 1), systemRandom);
	const repository = new SqlGrantRepository(database.connection);
	const redactor = new SecretRedactor();
	const store = new SealedTokenStore({ repository, box, redactor, clock, log });
	let asked = 0;
	const auths = new UpstreamAuths({
		// Requests take real time: the test owns that of the looks alone.
		...{ clock: systemClock, store, redirectUri: () => "http://127.0.0.1:1/oauth/callback" },
		authorize(_server, page) {
			asked += 1;
			return authorization.authorize(page);
		},
	});
	const spec = { url: `${authorization.issuer}/mcp`, auth: by_itself };
	const auth = await auths.of("notes", spec, ana);
	assert.ok((await auth?.connect())?.ok);
	const configured = { spec: spec as typeof spec | undefined };
	const specOf = async () => configured.spec;
	const idle = new IdleGrants({ store, auths, clock, log, specOf });
	idle.start();
	t.after(() => idle.close());
	const renewals = () => authorization.requests("/token").length - 1;
	const kept = async () => (await store.list())[0]?.grant;
	/** Lets hours pass; a look that is under way is over, and the next one set, before and after. */
	const pass = async (hours: number) => {
		await until(() => clock.pending > 0);
		await clock.advance(hours * hour_ms);
		await until(() => clock.pending > 0);
	};
	return { deviations, clock, idle, configured, renewals, kept, pass, asked: () => asked };
}

test("what nobody uses is renewed after three days, and then rests for as long", async (t) => {
	const { renewals, kept, pass, asked } = await scene(t);
	await pass(71);
	assert.equal(renewals(), 0);
	await pass(1);
	assert.equal(renewals(), 1);
	assert.equal((await kept())?.refresh_token, "refresh-2");
	await pass(71);
	assert.equal(renewals(), 1);
	assert.equal(asked(), 1);
});

test("nobody is asked where it cannot be renewed, and it is tried again with the next look", async (t) => {
	const { deviations, renewals, kept, pass, asked } = await scene(t);
	deviations.token = { status: 503, body: {} };
	await pass(71);
	await pass(1);
	assert.equal(renewals(), 1);
	assert.equal((await kept())?.refresh_token, "refresh-1");
	delete deviations.token;
	await pass(1);
	assert.equal(renewals(), 2);
	assert.equal(asked(), 1);
});

for (const why of ["is gone", "has another address"]) {
	test(`what nobody uses is left alone where its server ${why}`, async (t) => {
		const { configured, renewals, pass } = await scene(t);
		const elsewhere = { url: "https://elsewhere.example/mcp", auth: by_itself };
		configured.spec = why === "is gone" ? undefined : elsewhere;
		await pass(71);
		for (const _ of [1, 2]) await pass(1);
		assert.equal(renewals(), 0);
	});
}

test("a gateway that stops looks no more", async (t) => {
	const { clock, idle } = await scene(t);
	idle.close();
	assert.equal(clock.pending, 0);
	idle.start();
	assert.equal(clock.pending, 0);
});
