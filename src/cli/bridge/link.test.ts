import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Endpoint, echo, modern } from "../../../test/support/bridge-scene.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { until } from "../../../test/support/until.ts";
import { systemClock } from "../../lib/clock.ts";
import { Link, type LinkRequest } from "./link.ts";
import { readBody } from "./read-reply.ts";

/** Nothing listens there: connections are refused at once. */
const nowhere = "http://127.0.0.1:9/mcp";

function requestOf(parts: Partial<LinkRequest> = {}): LinkRequest {
	return {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: Buffer.from(JSON.stringify(modern(1, "tools/list"))),
		signal: new AbortController().signal,
		repeatable: false,
		...parts,
	};
}

function openLink(
	context: TestContext,
	locate: (fresh: boolean) => string | undefined,
	clock = systemClock,
) {
	const link = new Link({ clock, locate: async (fresh) => locate(fresh) });
	context.after(() => link.close());
	return link;
}

test("a response comes back with its status, its headers and its body", async (context) => {
	const endpoint = new Endpoint();
	const url = await endpoint.start(context);
	endpoint.answer = ({ response }) => response.writeHead(418, { "x-a": "b" }).end("tea");
	const sent = await openLink(context, () => url).send(requestOf());
	assert.ok(sent.ok);
	assert.equal(sent.value.status, 418);
	assert.equal(sent.value.headers["x-a"], "b");
	assert.equal((await readBody(sent.value))?.toString(), "tea");
});

test("the address is looked up anew after a failure, and only then", async (context) => {
	const endpoint = new Endpoint();
	endpoint.answer = echo;
	const url = await endpoint.start(context);
	const asked: boolean[] = [];
	const link = openLink(context, (fresh) => {
		asked.push(fresh);
		return fresh ? url : nowhere;
	});
	assert.ok((await link.send(requestOf())).ok);
	assert.deepEqual(asked, [false, true]);
});

test("without a gateway the link gives up after a minute, and says what to do", async (context) => {
	const clock = new FakeClock();
	const link = openLink(context, () => undefined, clock);
	const sending = link.send(requestOf());
	let over = false;
	void sending.then(() => {
		over = true;
	});
	await clock.advance(50_000);
	assert.equal(over, false);
	await clock.advance(11_000);
	const sent = await sending;
	assert.ok(!sent.ok);
	assert.equal(sent.problem.kind, "absent");
	assert.match(sent.problem.detail, /moorage up/);
	assert.equal(clock.pending, 0);
});

test("pauses between attempts grow, up to two seconds", async (context) => {
	const clock = new FakeClock();
	const at: number[] = [];
	const link = openLink(
		context,
		() => {
			at.push(clock.monotonic());
			return undefined;
		},
		clock,
	);
	const sending = link.send(requestOf());
	await clock.advance(61_000);
	await sending;
	const pauses = at.slice(1).map((time, index) => time - (at[index] as number));
	assert.deepEqual(pauses.slice(0, 7), [50, 100, 200, 400, 800, 1600, 2000]);
	assert.equal(Math.max(...pauses), 2000);
});

test("an aborted request ends at once, while waiting and while under way", async (context) => {
	const endpoint = new Endpoint();
	const url = await endpoint.start(context);
	endpoint.answer = () => undefined;
	const place: { url: string | undefined } = { url: undefined };
	const link = openLink(context, () => place.url);
	const waiting = new AbortController();
	const first = link.send(requestOf({ signal: waiting.signal }));
	waiting.abort();
	assert.deepEqual((await first).ok, false);
	place.url = url;
	const running = new AbortController();
	const second = link.send(requestOf({ signal: running.signal }));
	await until(() => endpoint.received.length === 1);
	running.abort();
	const sent = await second;
	assert.ok(!sent.ok);
	assert.equal(sent.problem.kind, "aborted");
	await until(() => endpoint.received[0]?.closed === true);
});

for (const repeatable of [true, false]) {
	const what = repeatable ? "sent again" : "given up";
	test(`a request whose fate is unknown is ${what}`, async (context) => {
		const endpoint = new Endpoint();
		const url = await endpoint.start(context);
		endpoint.answer = ({ response }) => {
			endpoint.answer = echo;
			response.destroy();
		};
		const sent = await openLink(context, () => url).send(requestOf({ repeatable }));
		assert.equal(sent.ok, repeatable);
		assert.equal(endpoint.received.length, repeatable ? 2 : 1);
		if (!sent.ok) {
			assert.equal(sent.problem.kind, "lost");
			assert.match(sent.problem.detail, /whether the request was carried out is unknown/);
		}
	});
}

test("503 without a JSON-RPC message means not accepted; with one it is the answer", async (context) => {
	const endpoint = new Endpoint();
	const url = await endpoint.start(context);
	const answer = '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"full"}}';
	const bodies = ["<html>", '{"error":"overloaded"}', "", answer];
	endpoint.answer = ({ response }) => response.writeHead(503).end(bodies.shift());
	const sent = await openLink(context, () => url).send(requestOf());
	assert.ok(sent.ok);
	assert.equal(endpoint.received.length, 4);
	assert.equal((await readBody(sent.value))?.toString(), answer);
});

test("an API key goes with every request, and nothing does without one", async (context) => {
	const endpoint = new Endpoint();
	const url = await endpoint.start(context);
	endpoint.answer = ({ headers, response }) => {
		response.end(headers.authorization ?? "nobody");
	};
	const bodyOf = async (key: string | undefined) => {
		const link = new Link({ clock: systemClock, locate: async () => url, key });
		context.after(() => link.close());
		const sent = await link.send(requestOf());
		return sent.ok ? (await readBody(sent.value))?.toString() : undefined;
	};
	assert.equal(await bodyOf("moorage_abc"), "Bearer moorage_abc");
	assert.equal(await bodyOf(undefined), "nobody");
});
