import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import { callLogLines } from "../support/call-log-lines.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { exchange, parse, type RawAnswer } from "../support/raw-client.ts";
import { type LegacyWire, ModernWire, openLegacy, replyOf } from "../support/wire-clients.ts";

/** A gateway whose drain the test decides the length of; it is stopped by the test itself. */
async function started(context: TestContext, servers: object, drain_ms: number) {
	const gateway = await startGateway({ servers }, { drain_ms });
	context.after(() => gateway.stop());
	return gateway;
}

/** A legacy call that waits for its client's answer, and that question's id. */
async function askedCall(gateway: TestGateway) {
	const client = await openLegacy(gateway.address("asking"), {
		capabilities: '{"elicitation":{}}',
	});
	const params = '{"name":"elicit","arguments":{}}';
	const stream = await client.open({ method: "tools/call", params, id: '"held"' });
	const question = await stream.until(({ method }) => method !== undefined);
	assert.equal(question.method, "elicitation/create");
	return { client, stream, question: JSON.stringify(question.id) };
}

function assertRefused(answer: RawAnswer, id: unknown): void {
	assert.equal(answer.status, 503);
	assert.equal(answer.headers["retry-after"], "2");
	assert.equal(answer.headers.connection, "close");
	const { error, id: answered } = parse(replyOf(answer));
	assert.equal(error.data.code, "gateway_stopping");
	assert.equal(error.data.retry_safe, true);
	assert.match(error.message, /Try again/);
	assert.equal(answered, id);
}

async function answerQuestion(client: LegacyWire, id: string): Promise<void> {
	const result = '{"action":"accept","content":{"name":"Ada"}}';
	await client.notify(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);
}

test("while a gateway stops, new calls are told to come back and running ones finish", async (t) => {
	const servers = { asking: stdioFixture("asking"), echo: stdioFixture("echo") };
	const gateway = await started(t, servers, 60_000);
	const { client, stream, question } = await askedCall(gateway);
	const stopped = gateway.daemon.stop();
	const call = { method: "tools/call", params: '{"name":"echo","arguments":{"text":"x"}}' };
	assertRefused(
		await new ModernWire(gateway.address("echo")).send({ ...call, id: '"new"' }),
		"new",
	);
	assertRefused(await client.send({ ...call, id: "7" }), 7);
	const batch = `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`;
	assertRefused(await exchange(gateway.address("echo"), { body: batch }), null);
	const listen = await exchange(client.address, { method: "GET", headers: client.headers({}) });
	assertRefused(listen, null);
	const health = await exchange(new URL("/readyz", gateway.url), { method: "GET" });
	assert.equal(health.status, 503);
	assert.equal(health.headers["retry-after"], "2");
	// The running call still gets its client's answer, and its client the result.
	await answerQuestion(client, question);
	await stream.ended;
	assert.match(stream.messages.at(-1)?.toString() ?? "", /"id":"held".*Ada/);
	await stopped;
	await assert.rejects(exchange(gateway.address("echo"), { method: "GET" }), /ECONNREFUSED/);
	const lines = callLogLines(gateway.folder).filter(({ code }) => code === "gateway_stopping");
	assert.deepEqual(
		lines.map(({ method, request_id, status }) => [method, request_id, status].join(" ")),
		[
			'tools/call "new" server_error',
			"tools/call 7 server_error",
			"POST null server_error",
			"GET null server_error",
		],
	);
});

test("event streams end properly when a gateway stops", async (t) => {
	const gateway = await started(t, { changing: stdioFixture("list-changing") }, 60_000);
	const modern = new ModernWire(gateway.address("changing"));
	const params = '{"notifications":{"toolsListChanged":true}}';
	const watched = await modern.open({ method: "subscriptions/listen", params, id: '"w"' });
	await watched.until(({ method }) => method !== undefined);
	const legacy = await openLegacy(gateway.address("changing"));
	const pushes = await legacy.listen();
	await gateway.daemon.stop();
	await watched.ended;
	const last = parse(watched.messages.at(-1));
	assert.equal(last.id, "w");
	assert.equal(last.result.resultType, "complete");
	await pushes.ended;
	assert.equal(pushes.status, 200);
});

test("a call that runs past the bound ends with an error, not with a broken connection", async (t) => {
	const gateway = await started(t, { slow: stdioFixture("slow") }, 1);
	const modern = new ModernWire(gateway.address("slow"));
	const params = '{"name":"hold","arguments":{"key":"k"}}';
	const meta = '"progressToken":1';
	const held = await modern.open({ method: "tools/call", params, meta, id: '"h"' });
	await held.until(({ method }) => method !== undefined);
	await gateway.daemon.stop();
	await held.ended;
	const last = held.messages.at(-1)?.toString() ?? "";
	assert.match(last, /"id":"h"/);
	assert.match(last, /Whether the call took effect is unknown/);
});

test("the stream of HTTP+SSE ends after the last answer on it", async (t) => {
	const gateway = await started(t, { asking: stdioFixture("asking") }, 60_000);
	const stream = await new Promise<string>((resolve, reject) => {
		const sent = request(new URL("/asking/sse", gateway.url), { agent: false }, (response) => {
			let text = "";
			response.on("data", (chunk: Buffer) => {
				text += chunk.toString();
				if (/data: ?\/asking\/message\S+\n/.test(text)) void gateway.daemon.stop();
			});
			response.once("end", () => resolve(text));
			response.once("error", reject);
		});
		sent.once("error", reject);
		sent.end();
	});
	assert.match(stream, /event: ?endpoint/);
});
