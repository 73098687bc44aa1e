import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { ServerStates } from "../support/server-states.ts";
import { type LegacyWire, ModernWire, openLegacy, openWire } from "../support/wire-clients.ts";

/** Real servers that go to sleep and wake up: no call, session or answer is lost over it. */

const frozen = { idle: { freeze: "50ms", reclaim: "never", stop: "never" } };
const stopped = { idle: { freeze: "never", reclaim: "never", stop: "50ms" } };
const servers = {
	napping: { ...stdioFixture("stateful"), ...frozen },
	/** Sleeps like the others do, for a test that waits as long as they would take. */
	control: { ...stdioFixture("stateful"), ...frozen },
	reclaimed: {
		...stdioFixture("stateful"),
		idle: { freeze: "20ms", reclaim: "40ms", stop: "never" },
	},
	ending: { ...stdioFixture("stateful"), ...stopped },
	both: {
		...stdioFixture("stateful"),
		idle: { freeze: "30ms", reclaim: "never", stop: "100ms" },
	},
	asking: { ...stdioFixture("asking"), ...frozen },
	single: { ...stdioFixture("slow"), ...frozen, concurrency: 1 },
	replicated: { ...stdioFixture("keeping"), replicas: 3 },
};

const states = new ServerStates();
let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers }, { onProgress: states.onProgress });
});

after(() => gateway.stop());

/** Until a server that was used later than any other has gone to sleep, twice over. */
async function longEnough(): Promise<void> {
	const client = new ModernWire(gateway.address("control"));
	for (let round = 0; round < 2; round += 1) {
		await client.call("value");
		await states.reach("control", "frozen");
	}
}

describe("a server that was put to sleep", () => {
	test("answers its next call and knows what it knew, when it was frozen", async () => {
		const client = await openLegacy(gateway.address("napping"));
		const instance = textOf(await client.call("instance"));
		for (let count = 1; count <= 3; count += 1) {
			assert.equal(textOf(await client.call("increment")), String(count));
			await states.reach("napping", "frozen");
		}
		assert.equal(textOf(await client.call("instance")), instance);
	});

	test("says what memory it gave back, and knows what it knew", async () => {
		const client = await openLegacy(gateway.address("reclaimed"));
		assert.equal(textOf(await client.call("increment")), "1");
		await states.until(
			"reclaimed",
			(status) =>
				status?.instances.some(({ reclaimed_bytes }) => reclaimed_bytes !== undefined) === true,
		);
		assert.equal(textOf(await client.call("increment")), "2");
		const [instance] = states.of("reclaimed")?.instances ?? [];
		assert.equal(instance?.reclaimed_bytes, undefined, "it is awake again");
	});

	test("is started by its next call, when it was stopped", async () => {
		const client = await openLegacy(gateway.address("ending"));
		const instance = textOf(await client.call("instance"));
		await states.reach("ending", "stopped");
		assert.notEqual(textOf(await client.call("instance")), instance);
	});

	for (const [server, state] of [
		["napping", "frozen"],
		["ending", "stopped"],
	] as const) {
		test(`answers all of fifty calls that come at once, from ${state}`, async () => {
			const clients = await Promise.all(
				Array.from({ length: 50 }, (_, at) =>
					openWire(at % 2 === 0 ? "legacy" : "modern", gateway.address(server)),
				),
			);
			await states.reach(server, state);
			const before = states.rises(server);
			const replies = await Promise.all(clients.map((client) => client.call("instance")));
			assert.equal(new Set(replies.map(textOf)).size, 1);
			assert.equal(states.rises(server), before + 1);
		});
	}

	test("goes on with a legacy session after it was frozen and then stopped", async () => {
		const client = await openLegacy(gateway.address("both"));
		const instance = textOf(await client.call("instance"));
		await states.reach("both", "stopped");
		assert.notEqual(textOf(await client.call("instance")), instance);
	});
});

describe("what keeps a server awake", () => {
	test("a subscription, until it ends", async () => {
		const client = await openLegacy(gateway.address("napping"));
		const params = '{"uri":"counter://value"}';
		await client.ask({ method: "resources/subscribe", params });
		await longEnough();
		assert.equal(states.of("napping")?.state, "ready");
		await client.ask({ method: "resources/unsubscribe", params });
		await states.reach("napping", "frozen");
	});

	test("a call that waits for its client's answer", async () => {
		const client = new ModernWire(gateway.address("asking"), '{"elicitation":{"form":{}}}');
		const asked = await client.call("elicit");
		assert.equal(asked.result.resultType, "input_required");
		await longEnough();
		assert.equal(states.of("asking")?.state, "ready");
		const [question] = Object.keys(asked.result.inputRequests);
		const answer = { [String(question)]: { action: "accept", content: { name: "Ada" } } };
		const params = {
			name: "elicit",
			arguments: {},
			inputResponses: answer,
			requestState: asked.result.requestState,
		};
		const request = { method: "tools/call", params: JSON.stringify(params) };
		assert.match(textOf(await client.ask(request)), /Ada/);
		await states.reach("asking", "frozen");
	});
});

describe("calls that take turns, and replicas", () => {
	test("two hundred calls at once of a server that works on one are all answered", async () => {
		await states.reach("single", "frozen");
		const address = gateway.address("single");
		const clients = Array.from({ length: 20 }, () => new ModernWire(address));
		const calls = clients.flatMap((client) =>
			Array.from({ length: 10 }, () => client.call("wait", '{"ms":0}')),
		);
		const replies = await Promise.all(calls);
		assert.equal(replies.length, 200);
		for (const reply of replies) assert.equal(textOf(reply), "waited 0 ms");
	});

	test("a session stays at its replica, and goes to another one when that dies", async () => {
		const instanceOf = async (client: LegacyWire) => textOf(await client.call("instance"));
		const clients = await Promise.all(
			Array.from({ length: 12 }, () => openLegacy(gateway.address("replicated"))),
		);
		const homes = await Promise.all(clients.map(instanceOf));
		assert.deepEqual(await Promise.all(clients.map(instanceOf)), homes);
		assert.ok(new Set(homes).size <= 3);
		const [first] = clients;
		assert.ok(first !== undefined);
		await first.call("die");
		const after = await Promise.all(clients.map(instanceOf));
		for (const [at, home] of homes.entries()) {
			if (home === homes[0]) assert.notEqual(after[at], home);
			else assert.equal(after[at], home, "the others stay where they are");
		}
	});
});
