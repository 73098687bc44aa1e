import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, parse, textOf } from "../support/raw-client.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

/**
 * A thousand clients at once that all choose the same id and the same progress token, in both
 * eras, on shared instances of every kind of server. Nobody may hear what belongs to another.
 */

const clients_count = 1000;
const eras = ["legacy", "modern"] as const;

let gateway: TestGateway;
let remotes: HttpFixture[];

before(async () => {
	remotes = await Promise.all([
		startHttpFixture("echo", ["--http"]),
		startHttpFixture("echo", ["--http", "--era", "modern"]),
		startHttpFixture("asking", ["--http"]),
	]);
	gateway = await startGateway({
		servers: {
			"stdio-legacy": stdioFixture("echo"),
			"stdio-modern": stdioFixture("echo", "--era", "modern"),
			"http-legacy": { url: remotes[0]?.url },
			"http-modern": { url: remotes[1]?.url },
			progress: stdioFixture("progress"),
			"progress-modern": stdioFixture("progress", "--era", "modern"),
			"http-asking": { url: remotes[2]?.url },
			"stdio-asking": { ...stdioFixture("asking"), scope: "user" },
			"lonely-asking": { ...stdioFixture("asking"), max_instances: 1 },
		},
		limits: { calls_per_server: 2000, requests_in_flight: 2000 },
	});
});

after(async () => {
	await gateway.stop();
	await Promise.all(remotes.map((remote) => remote.stop()));
});

/** Opens that many clients, alternating between the eras and the endpoints. */
function open(count: number, endpoints: readonly string[], capabilities = "{}") {
	return Promise.all(
		Array.from({ length: count }, (_, at) => {
			const era = eras[at % eras.length] as "legacy" | "modern";
			const endpoint = endpoints[(at >> 1) % endpoints.length] as string;
			return openWire(era, gateway.address(endpoint), capabilities);
		}),
	);
}

test("a thousand clients that all use id 0 each get their own answer, on every server", async () => {
	const endpoints = ["stdio-legacy", "stdio-modern", "http-legacy", "http-modern"];
	const clients = await open(clients_count, endpoints);
	const replies = await Promise.all(
		clients.map((client, at) => client.call("echo", `{"text":"secret of ${at}"}`, "0")),
	);
	const crossed = replies.filter((reply, at) => textOf(reply) !== `secret of ${at}`);
	assert.deepEqual(crossed, []);
	assert.ok(replies.every(({ id }) => id === 0));
});

test("the same at the address of all servers, with ids that only look alike", async () => {
	const clients = await open(200, ["mcp"]);
	const ids = ["0", '"0"', "0.0", '"\\u0030"', "-0"];
	const answers = await Promise.all(
		clients.map((client, at) =>
			client.send({
				method: "tools/call",
				id: ids[at % ids.length] as string,
				params: `{"name":"stdio-legacy__echo","arguments":{"text":"secret of ${at}"}}`,
			}),
		),
	);
	for (const [at, { messages }] of answers.entries()) {
		const [reply] = messages;
		assert.equal(textOf(parse(reply)), `secret of ${at}`);
		assert.ok(reply?.toString("utf8").includes(`"id":${ids[at % ids.length]},`));
	}
});

test("one session's requests with one id each get an answer of their own", async () => {
	const client = await openWire("legacy", gateway.address("stdio-legacy"));
	const replies = await Promise.all(
		Array.from({ length: 50 }, (_, at) => client.call("echo", `{"text":"${at}"}`, "0")),
	);
	assert.deepEqual(
		replies.map(textOf),
		replies.map((_, at) => String(at)),
	);
});

test("clients that all use one progress token hear of their own calls only", async () => {
	const clients = await open(200, ["progress", "progress-modern"]);
	const answers = await Promise.all(
		clients.map((client, at) =>
			client.send({
				method: "tools/call",
				id: "0",
				params: `{"name":"steps","arguments":{"steps":${1 + (at % 7)}}}`,
				meta: '"progressToken":0',
			}),
		),
	);
	for (const [at, { messages }] of answers.entries()) {
		const steps = 1 + (at % 7);
		const progress = messages.slice(0, -1).map(parse);
		assert.equal(progress.length, steps);
		for (const [step, { params }] of progress.entries()) {
			assert.equal(params.progressToken, 0);
			assert.equal(params.message, `step ${step + 1}`);
		}
	}
});

const elicitation = '{"elicitation":{"form":{}}}';
const elicit = '"name":"elicit","arguments":{}';

test("questions go to the client whose call they came from, and answers come back to it", async () => {
	const clients = await open(100, ["http-asking"], elicitation);
	await Promise.all(clients.map((client, at) => askedFor(client, `client ${at}`)));
});

test("while a person's server waits for one client's answer, others get another instance", async () => {
	const clients = await open(6, ["stdio-asking"], elicitation);
	const [first, ...others] = clients;
	assert.ok(first?.era === "legacy");
	const stream = await first.open({ method: "tools/call", id: "0", params: `{${elicit}}` });
	const question = await stream.until(({ method }) => method === "elicitation/create");
	await Promise.all(others.map((client, at) => askedFor(client, `client ${at}`)));
	await answer(first, question, '{"action":"decline"}');
	assert.match(textOf(await stream.reply()), /decline/);
});

test("a question that several calls could have caused is refused, and nobody is asked", async () => {
	const [first, second] = await open(2, ["lonely-asking"], elicitation);
	assert.ok(first?.era === "legacy" && second?.era === "modern");
	const stream = await first.open({ method: "tools/call", id: "0", params: `{${elicit}}` });
	const question = await stream.until(({ method }) => method === "elicitation/create");
	const refused = textOf(await second.call("elicit", "{}", "0"));
	assert.match(refused, /"error":.*max_instances.*scope: user.*scope: session/);
	await answer(first, question, '{"action":"decline"}');
	assert.match(textOf(await stream.reply()), /decline/);
});

test("a request state is good once, unchanged, and for its own request", async () => {
	const [, client] = await open(2, ["http-asking"], elicitation);
	assert.ok(client?.era === "modern");
	const asked = await client.ask({ method: "tools/call", params: `{${elicit}}` });
	const [key] = Object.keys(asked.result.inputRequests);
	const retry = (state: string, named = elicit) => {
		const answers = `"inputResponses":{"${key}":{"action":"decline"}}`;
		const params = `{${named},${answers},"requestState":${JSON.stringify(state)}}`;
		return client.ask({ method: "tools/call", params });
	};
	const { requestState: state } = asked.result;
	const middle = Math.floor(state.length / 2);
	const other = state[middle] === "A" ? "B" : "A";
	const tampered = `${state.slice(0, middle)}${other}${state.slice(middle + 1)}`;
	assert.equal((await retry(tampered)).error.code, -32602);
	const elsewhere = elicit.replace("{}", '{"x":1}');
	assert.equal((await retry(state, elsewhere)).error.code, -32602);
	assert.match(textOf(await retry(state)), /decline/);
	assert.equal((await retry(state)).error.code, -32602);
});

/** Calls a tool that asks for a name, gives this one, and checks that it is what came back. */
async function askedFor(client: WireClient, name: string): Promise<void> {
	const result = `{"action":"accept","content":{"name":"${name}"}}`;
	if (client.era === "legacy") {
		const stream = await client.open({ method: "tools/call", id: "0", params: `{${elicit}}` });
		const question = await stream.until(({ method }) => method === "elicitation/create");
		await answer(client, question, result);
		assert.match(textOf(await stream.reply()), new RegExp(`"${name}"`));
		return;
	}
	const first = await client.ask({ method: "tools/call", id: "0", params: `{${elicit}}` });
	assert.equal(first.result.resultType, "input_required", JSON.stringify(first));
	const [key] = Object.keys(first.result.inputRequests);
	const state = JSON.stringify(first.result.requestState);
	const retry = `{${elicit},"inputResponses":{"${key}":${result}},"requestState":${state}}`;
	const reply = await client.ask({ method: "tools/call", id: "0", params: retry });
	assert.match(textOf(reply), new RegExp(`"${name}"`));
}

function answer(client: WireClient, question: Parsed, result: string): Promise<void> {
	const id = JSON.stringify(question.id);
	return client.notify(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);
}
