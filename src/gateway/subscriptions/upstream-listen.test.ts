import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../../test/support/fake-clock.ts";
import type { ServerPlan } from "../../config/plan.ts";
import type { Upstream, UpstreamRequest } from "../../upstreams/driver.ts";
import { indexMessage } from "../../wire/index-message.ts";
import { readJson } from "../../wire/object.ts";
import type { GatewayContext } from "../context.ts";
import { UpstreamListen, withoutSubscription } from "./upstream-listen.ts";

function messageOf(text: string) {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

const all = '{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{}}';

/** A modern server whose listen requests end when the test says so. */
function setUp(capabilities = all) {
	const clock = new FakeClock();
	const notes: string[] = [];
	const open: { filter: unknown; request: UpstreamRequest; end(body: string): void }[] = [];
	const upstream = {
		hello: { era: "modern", revision: "2026-07-28", capabilities },
		request: (request: UpstreamRequest) =>
			new Promise((resolve) => {
				const { bytes, params } = request.message;
				const said = readJson(bytes, params?.span) as { notifications: unknown };
				const end = (body: string) =>
					resolve({ ok: true, value: messageOf(`{"jsonrpc":"2.0","id":0,${body}}`) });
				open.push({ filter: said.notifications, request, end });
				request.signal.addEventListener("abort", () => end('"result":{}'));
			}),
	} as unknown as Upstream;
	const context = {
		clock,
		product: { name: "moorage", version: "1" },
		hosting: { note: (_server: string, text: string) => notes.push(text) },
	} as unknown as GatewayContext;
	const server = { name: "s" } as unknown as ServerPlan;
	const listen = new UpstreamListen(context, server, () => undefined);
	return { listen, upstream, open, clock, notes };
}

test("it listens for the lists that can change and the resources that are wanted", () => {
	const { listen, upstream, open } = setUp();
	listen.update(upstream, ["a"]);
	assert.deepEqual(open[0]?.filter, {
		toolsListChanged: true,
		promptsListChanged: true,
		resourceSubscriptions: ["a"],
	});
	const text = open[0]?.request.message.bytes.toString("utf8") ?? "";
	assert.match(text, /"io\.modelcontextprotocol\/protocolVersion":"2026-07-28"/);
});

test("tasks are named to a server that has the extension, and the request declares it", () => {
	const extension = '"io.modelcontextprotocol/tasks":{}';
	const able = setUp(`{"extensions":{${extension}}}`);
	able.listen.update(able.upstream, [], ["t"]);
	assert.deepEqual(able.open[0]?.filter, { taskIds: ["t"] });
	const text = able.open[0]?.request.message.bytes.toString("utf8") ?? "";
	assert.ok(text.includes(`clientCapabilities":{"extensions":{${extension}}}`), text);
	const unable = setUp('{"extensions":{}}');
	unable.listen.update(unable.upstream, [], ["t"]);
	assert.deepEqual(unable.open, []);
});

test("where nothing can change, nothing is asked", () => {
	const { listen, upstream, open } = setUp('{"tools":{}}');
	listen.update(upstream, []);
	assert.deepEqual(open, []);
});

test("a change opens the new request before the old one is closed; no change opens none", () => {
	const { listen, upstream, open } = setUp();
	listen.update(upstream, ["a"]);
	listen.update(upstream, ["a"]);
	assert.equal(open.length, 1);
	listen.update(upstream, ["a", "b"]);
	assert.equal(open.length, 2);
	assert.equal(open[0]?.request.signal.aborted, true);
	assert.equal(open[1]?.request.signal.aborted, false);
	listen.close();
	assert.equal(open[1]?.request.signal.aborted, true);
});

test("a stream that the server ends is asked for again, but not at once", async () => {
	const { listen, upstream, open, clock } = setUp();
	listen.update(upstream, []);
	open[0]?.end('"result":{"resultType":"complete"}');
	await settle();
	assert.equal(open.length, 1);
	await clock.advance(60_000);
	assert.equal(open.length, 2);
	listen.close();
	await clock.advance(60_000);
	assert.equal(open.length, 2);
});

test("a server that refuses is noted and left alone", async () => {
	const { listen, upstream, open, clock, notes } = setUp();
	listen.update(upstream, []);
	open[0]?.end('"error":{"code":-32601,"message":"no"}');
	await settle();
	await clock.advance(600_000);
	assert.equal(open.length, 1);
	assert.equal(notes.length, 1);
});

test("the tag goes, and everything else of a notification stays as it was", () => {
	const tag = '"io.modelcontextprotocol/subscriptionId":"x"';
	const head = '{"jsonrpc":"2.0","method":"notifications/x","params":{"n":1.0';
	const stripped = (text: string) => withoutSubscription(messageOf(text)).bytes.toString("utf8");
	assert.equal(stripped(`${head},"_meta":{${tag}}}}`), `${head}}}`);
	assert.equal(stripped(`${head},"_meta":{${tag},"y":2.0}}}`), `${head},"_meta":{"y":2.0}}}`);
	assert.equal(stripped(`${head}}}`), `${head}}}`);
	const bare = '{"jsonrpc":"2.0","method":"notifications/x"}';
	assert.equal(stripped(bare), bare);
});
