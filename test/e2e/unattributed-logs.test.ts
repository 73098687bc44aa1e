import assert from "node:assert/strict";
import { test } from "node:test";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type KeyHolder, keyHolder, openLegacyAs } from "../support/keyed-clients.ts";
import type { Parsed, RawStream } from "../support/raw-client.ts";

/** What servers say to nobody in particular, and who must not hear it. */

const ana = keyHolder("ana", "acme");
const ann = keyHolder("ann", "acme");
const bob = keyHolder("bob", "acme");
const carl = keyHolder("carl", "other");
const identity = { keys: [ana, ann, bob, carl].map(({ entry }) => entry) };

const is_log = ({ method }: Parsed) => method === "notifications/message";

/** A session that wants all log messages, and its stream. */
async function listener(gateway: TestGateway, who: KeyHolder, endpoint?: string) {
	const client = await openLegacyAs(who, gateway.address(endpoint));
	const stream = await client.listen();
	await client.ask({ method: "logging/setLevel", params: '{"level":"debug"}' });
	return { client, stream };
}

/** What the streams were told of log messages, once all that was sent before has come. */
async function heard(gateway: TestGateway, streams: readonly RawStream[]): Promise<string[][]> {
	// Everybody is told that lists changed, and after all that was told before.
	const body = { kind: "tool", name: "nowhere__nothing", reason: "For the test." };
	await adminDone(gateway, "POST", "/api/kill-switches", body);
	await adminDone(gateway, "DELETE", "/api/kill-switches/tool:nowhere__nothing");
	return Promise.all(
		streams.map(async (stream) => {
			await stream.until(({ method }) => method === "notifications/tools/list_changed");
			const messages = stream.messages.map((bytes) => JSON.parse(bytes.toString("utf8")) as Parsed);
			stream.forget();
			return messages.filter(is_log).map(({ params }) => String(params.data));
		}),
	);
}

test("who may use nothing of a server hears nothing of what it logs, and sets no level there", async (t) => {
	const gateway = await startGateway({
		identity,
		servers: {
			telling: { ...stdioFixture("telling"), scope: "shared" },
			open: stdioFixture("echo"),
		},
		policy: [{ server: "telling", when: "principal.user == 'bob'", then: "deny" }],
	});
	t.after(() => gateway.stop());
	const [hers, his] = [await listener(gateway, ana), await listener(gateway, bob)];
	await hers.client.call("telling__say", '{"words":"hello"}');
	await hers.stream.until(is_log);
	const streams = [hers.stream, his.stream];
	assert.deepEqual(await heard(gateway, streams), [["somebody said hello"], []]);
	for (const stream of streams) stream.close();
});

test("what a shared server logs of one tenant is not told to another, nor once it serves both", async (t) => {
	const servers = {
		telling: { ...stdioFixture("telling"), scope: "shared" },
		apart: { ...stdioFixture("telling"), scope: "tenant" },
	};
	const gateway = await startGateway({ identity, servers });
	t.after(() => gateway.stop());
	const all = await Promise.all([ana, ann, carl].map((who) => listener(gateway, who)));
	const [first, , third] = all;
	assert.ok(first !== undefined && third !== undefined);
	const streams = all.map(({ stream }) => stream);
	const hears = () => heard(gateway, streams);
	await first.client.call("telling__say", '{"words":"one"}');
	await first.stream.until(is_log);
	assert.deepEqual(await hears(), [["somebody said one"], ["somebody said one"], []]);
	// From now on nobody can tell whose it is.
	await third.client.call("telling__say", '{"words":"two"}');
	await third.client.call("apart__say", '{"words":"three"}');
	await third.stream.until(is_log);
	assert.deepEqual(await hears(), [[], [], ["somebody said three"]]);
	for (const stream of streams) stream.close();
});
