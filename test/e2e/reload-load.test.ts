import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

const callers_per_era = 3;
const reloads = 6;

/** A configuration whose server is another version each time. */
function version(number: number): object {
	const { command, args } = stdioFixture("echo");
	return { servers: { echo: { command: [command, ...args], env: { VERSION: String(number) } } } };
}

/** Calls one call after the other until told to stop; tells how many were answered. */
async function callOn(client: WireClient, name: string, over: () => boolean): Promise<number> {
	let answered = 0;
	while (!over()) {
		const text = `${name}-${answered}`;
		const reply = await client.call("echo", JSON.stringify({ text }));
		assert.match(JSON.stringify(reply), new RegExp(`${text}"`), `the answer to ${text}`);
		assert.doesNotMatch(JSON.stringify(reply), /"isError":true/);
		answered += 1;
	}
	return answered;
}

test("no call is lost or answered twice while a server changes under load", async (context) => {
	const gateway = await startGateway(version(0));
	context.after(() => gateway.stop());
	let over = false;
	const eras = ["legacy", "modern"] as const;
	const callers = eras.flatMap((era) =>
		Array.from({ length: callers_per_era }, async (_, index) => {
			const client = await openWire(era, gateway.address("echo"));
			return await callOn(client, `${era}-${index}`, () => over);
		}),
	);
	const calling = Promise.all(callers);
	try {
		for (let number = 1; number <= reloads; number += 1) {
			const reloaded = await Promise.race([
				gateway.reconfigure(version(number)),
				// A caller that fails ends the test at once, with its own words.
				calling.then(() => assert.fail("the callers ended early")),
			]);
			assert.ok(reloaded.ok);
			assert.deepEqual(reloaded.value.changed, ["echo"]);
		}
	} finally {
		over = true;
	}
	const answered = await calling;
	assert.ok(
		answered.every((count) => count > 0),
		answered.join(", "),
	);
});
