import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, openStream, parse, post_headers, textOf } from "../support/raw-client.ts";
import { LegacyWire, openLegacy, openWire, replyOf } from "../support/wire-clients.ts";

/** The life of a legacy session over plain HTTP: opened, used, ended, and outliving the gateway. */

const servers = {
	stateful: stdioFixture("stateful"),
	slow: stdioFixture("slow"),
	own: { ...stdioFixture("stateful"), scope: "session" },
	asking: stdioFixture("asking"),
};

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({ servers, limits: { sessions: 40 } });
});

after(() => gateway.stop());

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

async function statusOf(client: LegacyWire, method: string, body?: string): Promise<number> {
	const headers = client.headers({});
	const request = { method, headers, ...(body === undefined ? {} : { body }) };
	const stream = await openStream(client.address, request);
	stream.close();
	return stream.status;
}

describe("opening a session", () => {
	test("every legacy revision is spoken, and an unknown one is answered with the latest", async () => {
		const revisions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
		for (const revision of revisions) {
			const client = await openLegacy(gateway.address("stateful"), { revision });
			assert.equal(client.revision, revision);
			assert.equal(client.hello.result.serverInfo.name, "stateful");
			assert.equal(client.hello.result.instructions, "A fixture.");
		}
		const future = await openLegacy(gateway.address("stateful"), { revision: "2031-01-01" });
		assert.equal(future.revision, "2025-11-25");
	});

	test("ids are long, visible ASCII and never the same", async () => {
		const ids = new Set<string>();
		for (let at = 0; at < 5; at += 1) {
			const { session_id } = await openLegacy(gateway.address("stateful"));
			assert.match(session_id, /^[\x21-\x7e]{20,}$/);
			ids.add(session_id);
		}
		assert.equal(ids.size, 5);
	});

	test("a client without a session is served, but cannot be asked anything", async () => {
		const request = (tool: string) =>
			`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}"}}`;
		const address = gateway.address("stateful");
		const served = await exchange(address, { headers: post_headers, body: request("instance") });
		assert.match(textOf(parse(replyOf(served))), /^[\w-]{36}$/);
		assert.equal(served.headers["mcp-session-id"], undefined);
		const asked = await exchange(gateway.address("asking"), { body: request("elicit") });
		assert.match(textOf(parse(replyOf(asked))), /"error"/);
	});
});

describe("ending a session", () => {
	test("after DELETE every request of it is answered with 404, and a new one can be opened", async () => {
		const client = await openLegacy(gateway.address("stateful"));
		assert.equal(await statusOf(client, "POST", ping), 200);
		assert.equal(await statusOf(client, "DELETE"), 200);
		assert.equal(await statusOf(client, "POST", ping), 404);
		assert.equal(
			await statusOf(client, "POST", '{"jsonrpc":"2.0","method":"notifications/x"}'),
			404,
		);
		assert.equal(await statusOf(client, "GET"), 404);
		assert.equal(await statusOf(client, "DELETE"), 404);
		const again = await openLegacy(gateway.address("stateful"));
		assert.notEqual(again.session_id, client.session_id);
		assert.equal(await statusOf(again, "POST", ping), 200);
	});

	test("its push streams end and its running calls are cancelled at the server", async () => {
		const client = await openLegacy(gateway.address("slow"));
		const push = await client.listen();
		const held = await client.open({
			method: "tools/call",
			params: '{"name":"hold","arguments":{"key":"ended"}}',
			meta: '"progressToken":1',
		});
		await held.until(({ method }) => method === "notifications/progress");
		assert.equal(await statusOf(client, "DELETE"), 200);
		await push.ended;
		await held.ended;
		const other = await openWire("modern", gateway.address("slow"));
		assert.match(textOf(await other.call("cancelled", '{"count":1}')), /ended/);
	});

	test("a session at another endpoint cannot be used, watched or ended from here", async () => {
		const client = await openLegacy(gateway.address("stateful"));
		const foreign = new LegacyWire(gateway.address("slow"), client.session_id, client.hello);
		assert.equal(await statusOf(foreign, "POST", ping), 404);
		assert.equal(await statusOf(foreign, "GET"), 404);
		assert.equal(await statusOf(foreign, "DELETE"), 404);
		assert.equal(await statusOf(client, "POST", ping), 200);
	});

	test("a session with its own instance takes the instance with it", async () => {
		const [one, two] = await Promise.all([
			openLegacy(gateway.address("own")),
			openLegacy(gateway.address("own")),
		]);
		assert.ok(one !== undefined && two !== undefined);
		const instances = [textOf(await one.call("instance")), textOf(await two.call("instance"))];
		assert.notEqual(instances[0], instances[1]);
		assert.equal(textOf(await one.call("instance")), instances[0]);
		assert.equal(textOf(await one.call("increment")), "1");
		assert.equal(textOf(await two.call("value")), "0");
		assert.equal(await statusOf(one, "DELETE"), 200);
		assert.equal(textOf(await two.call("instance")), instances[1]);
	});

	test("more sessions than there may be are refused until others end", async () => {
		const open: LegacyWire[] = [];
		const body = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`;
		const address = gateway.address("stateful");
		for (;;) {
			const answer = await exchange(address, { body });
			if (answer.status !== 200) {
				assert.equal(answer.status, 503);
				assert.equal(parse(replyOf(answer)).error.data["code"], "overloaded");
				break;
			}
			const id = String(answer.headers["mcp-session-id"]);
			open.push(new LegacyWire(address, id, parse(replyOf(answer))));
			assert.ok(open.length <= 40);
		}
		for (const client of open) assert.equal(await statusOf(client, "DELETE"), 200);
		assert.equal((await exchange(address, { body })).status, 200);
	});
});

describe("a gateway that starts again on the same folder", () => {
	test("knows its sessions by the same ids, with all that hangs on them", async () => {
		const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		const config = { servers: { stateful: servers.stateful, asking: servers.asking } };
		const first = await startGateway(config, { folder });
		const kept = await openLegacy(first.address("stateful"));
		const ended = await openLegacy(first.address("stateful"));
		const capable = await openLegacy(first.address("asking"), {
			capabilities: '{"roots":{}}',
			revision: "2025-06-18",
		});
		const { error } = await kept.ask({
			method: "resources/subscribe",
			params: '{"uri":"counter://value"}',
		});
		assert.equal(error, undefined);
		assert.equal(await statusOf(ended, "DELETE"), 200);
		await first.stop();

		const second = await startGateway(config, { folder });
		try {
			const at = (endpoint: string, { session_id, hello }: LegacyWire) =>
				new LegacyWire(second.address(endpoint), session_id, hello);
			const back = at("stateful", kept);
			assert.equal(await statusOf(back, "POST", ping), 200);
			assert.equal(await statusOf(at("stateful", ended), "POST", ping), 404);
			assert.equal(await statusOf(at("asking", kept), "POST", ping), 404);
			// What it had subscribed to reaches it from the new server process.
			const push = await back.listen();
			await back.call("increment");
			const updated = await push.until(
				({ method }) => method === "notifications/resources/updated",
			);
			assert.equal(updated.params.uri, "counter://value");
			push.close();
			// What its client can do is still known.
			const asked = await at("asking", capable).open({
				method: "tools/call",
				params: '{"name":"roots","arguments":{}}',
			});
			const question = await asked.until(({ method }) => method === "roots/list");
			const id = JSON.stringify(question.id);
			await at("asking", capable).notify(`{"jsonrpc":"2.0","id":${id},"result":{"roots":[]}}`);
			assert.match(textOf(await asked.reply()), /"roots":\[\]/);
		} finally {
			await second.stop();
			await rm(folder, { recursive: true, force: true });
		}
	});

	test("serves its lists from the store before a server has started", async () => {
		const folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		const slow_start = { ...stdioFixture("slow", "--start_ms", "1"), start: "on-demand" };
		const config = { servers: { slow: slow_start } };
		const first = await startGateway(config, { folder });
		const list = async (gateway_now: TestGateway) =>
			replyOf(
				await (await openWire("modern", gateway_now.address())).send({
					method: "tools/list",
					id: "1",
				}),
			).toString("utf8");
		const before_stop = await list(first);
		assert.match(before_stop, /slow__wait/);
		await first.stop();
		const second = await startGateway(config, { folder });
		try {
			assert.equal(await list(second), before_stop);
			const state = second.daemon.overview().servers[0]?.state ?? "";
			assert.ok(["resolving", "stopped"].includes(state), `it was started: ${state}`);
		} finally {
			await second.stop();
			await rm(folder, { recursive: true, force: true });
		}
	});
});

test("a call in flight when the gateway stops is finished first", async () => {
	const own = await startGateway({ servers: { slow: stdioFixture("slow") } });
	const client = await openLegacy(own.address("slow"));
	const held = await client.open({
		method: "tools/call",
		params: '{"name":"hold","arguments":{"key":"k"}}',
		meta: '"progressToken":1',
	});
	await held.until(({ method }) => method === "notifications/progress");
	const release = client.call("release", '{"key":"k"}');
	assert.equal(textOf(await release), "true");
	const stopped = own.stop();
	assert.equal(textOf(await held.reply()), "released k");
	await stopped;
});
