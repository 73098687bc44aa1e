import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { initializeAs, type KeyHolder, keyHolder, openLegacyAs } from "../support/keyed-clients.ts";
import { openStream, type RawStream } from "../support/raw-client.ts";

/** What one session or tenant holds, and what is left for others. */

const ana = keyHolder("ana", "acme");
const identity = { keys: [ana.entry] };

test("a subscription that its session does not keep is taken back at the server", async (t) => {
	const gateway = await startGateway({ identity, servers: { any: stdioFixture("accepting") } });
	t.after(() => gateway.stop());
	const client = await openLegacyAs(ana, gateway.address("any"));
	const subscribe = (uri: string) =>
		client.ask({ method: "resources/subscribe", params: JSON.stringify({ uri }) });
	const refused = await subscribe(`any://${"x".repeat(5_000)}`);
	assert.match(refused.error?.message ?? "", /at most 4096/);
	assert.equal((await client.call("watched")).result?.content?.[0]?.text, "0");
	// The same wish twice at once is one, and one takes it back.
	await Promise.all([subscribe("any://a"), subscribe("any://a")]);
	assert.equal((await client.call("watched")).result?.content?.[0]?.text, "1");
	await client.ask({ method: "resources/unsubscribe", params: '{"uri":"any://a"}' });
	assert.equal((await client.call("watched")).result?.content?.[0]?.text, "0");
});

test("one tenant opens sessions and streams only as long as others find room", async (t) => {
	const eve = keyHolder("eve", "evil");
	const gateway = await startGateway({
		identity: { keys: [ana.entry, eve.entry] },
		limits: { sessions: 20 },
		sse: "on",
		servers: { any: stdioFixture("accepting") },
	});
	t.after(() => gateway.stop());
	const session = async (who: KeyHolder) =>
		(await initializeAs(who, gateway.address("any"))).headers["mcp-session-id"] !== undefined;
	const open: RawStream[] = [];
	const stream = async (who: KeyHolder) => {
		const headers = { ...who.headers, accept: "text/event-stream" };
		const address = new URL("/any/sse", gateway.url);
		const opened = await openStream(address, { method: "GET", headers });
		open.push(opened);
		return opened.status === 200;
	};
	for (const take of [session, stream]) {
		const got = { eve: 0, ana: 0 };
		while (await take(eve)) got.eve += 1;
		while (await take(ana)) got.ana += 1;
		assert.deepEqual(got, { eve: 10, ana: 5 }, take.name);
	}
	for (const one of open) one.close();
});

test("where nobody is told apart, one client may have all the room for sessions", async (t) => {
	const servers = { any: stdioFixture("accepting") };
	const gateway = await startGateway({ limits: { sessions: 20 }, servers });
	t.after(() => gateway.stop());
	let got = 0;
	const session = async () => (await initializeAs({ headers: {} }, gateway.address("any"))).headers;
	while ((await session())["mcp-session-id"] !== undefined) got += 1;
	assert.equal(got, 20);
});
