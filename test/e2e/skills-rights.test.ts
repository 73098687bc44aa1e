import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { type KeyHolder, keyHolder, openWireAs } from "../support/keyed-clients.ts";

test("the skills of servers that are off, or denied to who asks, are not listed for all servers", async (t) => {
	const ana = keyHolder("ana", "acme");
	const bob = keyHolder("bob", "acme");
	const shared = { ...stdioFixture("matrix/modern"), scope: "shared" };
	const gateway = await startGateway({
		identity: { keys: [ana.entry, bob.entry] },
		servers: { one: shared, two: shared, three: shared },
		policy: {
			rules: [
				{ server: "one", method: "skills/*", when: "principal.user == 'bob'", then: "deny" },
				{ name: "asked first", server: "three", method: "skills/list", then: "ask" },
			],
		},
	});
	t.after(() => gateway.stop());
	const skills = async (who: KeyHolder) => {
		const client = await openWireAs("modern", who, gateway.address());
		const { result }: Json = await client.ask({ method: "skills/list" });
		return result.skills.map(({ uri }: { uri: string }) => uri.split("/")[2]);
	};
	assert.deepEqual(await skills(ana), ["one", "two"]);
	assert.deepEqual(await skills(bob), ["two"]);
	const target = { kind: "server", name: "two", reason: "Off for the test." };
	await adminDone(gateway, "POST", "/api/kill-switches", target);
	assert.deepEqual(await skills(ana), ["one"]);
	assert.deepEqual(await skills(bob), []);
});
