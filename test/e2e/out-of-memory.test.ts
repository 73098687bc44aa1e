import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../matrix/peer.ts";
import { untilStatus } from "../support/admin-status.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { openWire } from "../support/wire-clients.ts";

const ran_out = /ran out of memory \(limit 192MiB\)/;

test("a server that takes more memory than it may is ended, and everybody is told why", {
	skip: process.platform !== "linux" && "memory is limited on Linux only",
}, async () => {
	const gateway = await startGateway({
		servers: {
			hungry: {
				...stdioFixture("hungry"),
				keep: "always",
				limits: { memory: "192MiB" },
			},
			neighbour: stdioFixture("hungry"),
		},
	});
	try {
		const client = await openWire("legacy", gateway.address("hungry"));
		const answer = (await client.call("eat")) as Json;
		assert.match(JSON.stringify(answer), ran_out);
		// It is started anew, and its neighbour never noticed.
		await untilStatus(
			gateway,
			"hungry",
			({ state, restarts }) => state === "ready" && restarts === 1,
		);
		const neighbour = await openWire("legacy", gateway.address("neighbour"));
		assert.equal(textOf(await neighbour.call("greet")), "hello");
		const lines = gateway.log.lines.map(({ message }) => message);
		assert.ok(lines.some((line) => ran_out.test(line)));
	} finally {
		await gateway.stop();
	}
});
