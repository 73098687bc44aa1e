import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { HeldClock } from "../support/held-clock.ts";
import { ModernWire } from "../support/wire-clients.ts";

/*
 * A switch is effective in under a second because it waits for nothing: the calls that it stops end
 * while not one timer of the gateway fires. Where a call needed the tick of any clock to end, it
 * would end here never.
 */

const key = newApiKey(systemRandom);
const clock = new HeldClock();

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway(
		{
			identity: {
				keys: [{ name: "ana", hash: `sha256:${hashApiKey(key)}`, tenant: "acme", user: "ana" }],
			},
			servers: { slow: { ...stdioFixture("slow"), tools: { hold: { risk: "visible" } } } },
		},
		{ clock },
	);
});

after(async () => {
	clock.release();
	await gateway.stop();
});

const wire = () => new ModernWire(gateway.address("slow"));
const headers = { authorization: `Bearer ${key}` };

/** A call that runs until somebody ends it, once its server works on it. */
async function heldCall(held: string) {
	const params = JSON.stringify({ name: "hold", arguments: { key: held } });
	const meta = '"progressToken":1';
	const stream = await wire().open({ method: "tools/call", params, meta, headers });
	await stream.until(({ method }) => method === "notifications/progress");
	return stream;
}

const switches = [
	["tool", "slow__hold"],
	["server", "slow"],
	["client", "key:ana"],
	["user", "acme/ana"],
	["tenant", "acme"],
	["writes", "slow"],
	["writes", undefined],
	["all", undefined],
] as const;

for (const [kind, name] of switches) {
	const what = name === undefined ? kind : `${kind} ${name}`;
	test(`${what}: a call in flight ends at the switch, and waits for no clock`, async (t) => {
		t.after(() => clock.release());
		const call = await heldCall(what);
		clock.hold();
		const body = { kind, name, reason: "It does what it should not." };
		const killed = adminDone<{ id: string }>(gateway, "POST", "/api/kill-switches", body);
		const { result } = await call.until(({ id }) => id !== undefined);
		assert.match(JSON.stringify(result), /switched_off/);
		clock.release();
		const { id } = await killed;
		await adminDone(gateway, "DELETE", `/api/kill-switches/${encodeURIComponent(id)}`);
	});
}

test("the servers of all of them were told to stop", async () => {
	const params = JSON.stringify({ name: "cancelled", arguments: { count: switches.length } });
	const { result } = await wire().ask({ method: "tools/call", params, headers });
	const told = JSON.stringify(result);
	for (const [kind, name] of switches) {
		assert.ok(told.includes(name === undefined ? kind : `${kind} ${name}`), told);
	}
});
