import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { statusOf, untilStatus } from "../support/admin-status.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { openWire } from "../support/wire-clients.ts";

/** A server that hangs is found, ended and started anew, whatever era it speaks. */

for (const era of ["legacy", "modern"] as const) {
	test(`a ${era} server that hangs is started anew, and its call is told so`, async () => {
		const gateway = await startGateway({
			servers: {
				stuck: {
					...stdioFixture("stuck", "--era", era),
					keep: "always",
					timeouts: { stop: "100ms" },
					health: { ping: "1s", fails: 2 },
				},
			},
		});
		try {
			const client = await openWire(era, gateway.address("stuck"));
			const before = textOf(await client.call("greet"));
			const hung: Promise<Json> = client.call("hang");
			const { reason } = await untilStatus(gateway, "stuck", (status) => status.restarts > 0);
			// It may be ready again by the time that is looked at.
			if (reason !== undefined) assert.match(reason, /did not answer 2 signs of life/);
			const answer = JSON.stringify(await hung);
			assert.match(answer, /went away during the call.*Whether the call took effect is unknown/);
			const after = textOf(await client.call("greet"));
			assert.match(after, /^hello from \S+$/);
			assert.notEqual(after, before);
			assert.equal((await statusOf(gateway, "stuck")).state, "ready");
		} finally {
			await gateway.stop();
		}
	});
}
