import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { ServerStates } from "../support/server-states.ts";
import { openWire } from "../support/wire-clients.ts";

/** Whoever wakes a server is answered first; what it offers is compared right after that. */

const eras = ["legacy", "modern"] as const;
const states = new ServerStates();
let gateway: TestGateway;

/** Both servers, of which one of an era sleeps as soon as nobody calls it. */
function configOf(sleepy?: string) {
	const server = (era: string) => {
		const stop = era === sleepy ? "100ms" : "never";
		const idle = { freeze: "never", reclaim: "never", stop };
		return { ...stdioFixture("in-order", "--era", era), start: "on-demand", idle };
	};
	return { servers: { legacy: server("legacy"), modern: server("modern") } };
}

before(async () => {
	gateway = await startGateway(configOf(), { onProgress: states.onProgress });
});

after(() => gateway.stop());

for (const era of eras) {
	test(`the call that wakes a ${era} server goes before the question what it offers`, async () => {
		const client = await openWire(era, gateway.address(era));
		const heard = async () => textOf(await client.call("heard"));
		// Nothing is known of it yet: the question is asked at once.
		assert.match(await heard(), /tools\/list/);
		// Not before: a legacy client's handshake wakes it, and it could sleep before the first call.
		await gateway.reconfigure(configOf(era));
		await states.reach(era, "stopped");
		assert.doesNotMatch(await heard(), /tools\/list/);
		let said = await heard();
		while (!said.includes("tools/list")) said = await heard();
		assert.match(said, /tools\/call .*tools\/list/);
	});
}
