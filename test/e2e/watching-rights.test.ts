import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { keyHolder, listenTo, openLegacyAs, openWireAs } from "../support/keyed-clients.ts";
import type { Parsed } from "../support/raw-client.ts";
import type { LegacyWire } from "../support/wire-clients.ts";

/** Who may not read a resource hears nothing of it, however they ask to watch it. */

const uri = "counter://value";
const ana = keyHolder("ana", "acme", { roles: ["boss"] });
const bob = keyHolder("bob", "other");
const servers = {
	legacy: { ...stdioFixture("watched"), scope: "shared" },
	modern: { ...stdioFixture("watched", "--era", "modern"), scope: "shared" },
};
const identity = { keys: [ana.entry, bob.entry] };
const only_boss = { name: "only boss", when: "'boss' in principal.roles", else: "deny" };
const boss_reads = { ...only_boss, name: "boss reads", method: ["resources/read"] };
const updated = ({ method }: Parsed) => method === "notifications/resources/updated";
const subscribe = { method: "resources/subscribe", params: `{"uri":"${uri}"}` };

const start = (rules: object[]) => startGateway({ identity, servers, policy: { rules } });

for (const server of ["legacy", "modern"] as const) {
	test(`a ${server} server: who may not read a resource can neither subscribe nor listen to it`, async (t) => {
		const gateway = await start([boss_reads]);
		t.after(() => gateway.stop());
		const address = gateway.address(server);
		const own = await openLegacyAs(bob, address);
		const refused = await own.ask(subscribe);
		assert.match(refused.error?.message ?? "", /boss reads/, JSON.stringify(refused));
		const { stream, acknowledged } = await listenTo(await openWireAs("modern", bob, address), {
			resourceSubscriptions: [uri],
			toolsListChanged: true,
		});
		assert.deepEqual(acknowledged, { toolsListChanged: true });
		// Nobody is watching: the server was not told of anybody, so that `watchers` says none.
		const boss = await openLegacyAs(ana, address);
		const none = await boss.call("watchers", '{"count":0}');
		assert.equal(none.result?.content?.[0]?.text, "0");
		// Whoever may read it may watch it.
		const pushes = await boss.listen();
		assert.equal((await boss.ask(subscribe)).error, undefined);
		await boss.call("touch");
		await pushes.until(updated);
		pushes.close();
		stream.close();
	});

	test(`a ${server} server: a rule that comes ends what open streams are told`, async (t) => {
		const gateway = await start([]);
		t.after(() => gateway.stop());
		const address = gateway.address(server);
		const his = await openLegacyAs(bob, address);
		const pushes = await his.listen();
		assert.equal((await his.ask(subscribe)).error, undefined);
		const wanted = { resourceSubscriptions: [uri] };
		const { stream, acknowledged } = await listenTo(
			await openWireAs("modern", bob, address),
			wanted,
		);
		assert.deepEqual(acknowledged, wanted);
		const boss = await openLegacyAs(ana, address);
		const hers = await boss.listen();
		assert.equal((await boss.ask(subscribe)).error, undefined);
		const touch = async (client: LegacyWire) => {
			await client.call("touch");
			await hers.until(updated);
			hers.forget();
		};
		await touch(boss);
		await Promise.all([pushes.until(updated), stream.until(updated)]);
		const reload = await gateway.reconfigure({ identity, servers, policy: { rules: [only_boss] } });
		assert.ok(reload.ok, JSON.stringify(reload));
		for (const one of [pushes, stream]) one.forget();
		await touch(boss);
		// A rule that goes again shows that the streams were open all the time.
		await gateway.reconfigure({ identity, servers, policy: { rules: [] } });
		assert.deepEqual([pushes.messages, stream.messages], [[], []]);
		await touch(boss);
		await Promise.all([pushes.until(updated), stream.until(updated)]);
		for (const one of [pushes, stream, hers]) one.close();
	});
}

test("a resource whose reading needs an approval cannot be watched", async (t) => {
	const ask = { name: "asked first", method: ["resources/read"], then: "ask" };
	const gateway = await start([ask]);
	t.after(() => gateway.stop());
	const own = await openLegacyAs(bob, gateway.address("legacy"));
	const refused = await own.ask(subscribe);
	assert.match(refused.error?.message ?? "", /cannot be watched/, JSON.stringify(refused));
	const { error } = await own.ask({ ...subscribe, method: "resources/unsubscribe" });
	assert.equal(error, undefined);
});
