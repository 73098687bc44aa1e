import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type LegacyWire, openLegacy } from "../support/wire-clients.ts";

/** A legacy client that loses its connections in the middle of a call and comes back. */

let gateway: TestGateway;

before(async () => {
	gateway = await startGateway({
		servers: { slow: stdioFixture("slow"), asking: stdioFixture("asking") },
	});
});

after(() => gateway.stop());

/** Reads a stream until its text says this, then cuts the connection. */
async function readUntil(response: Response, pattern: RegExp): Promise<string> {
	assert.equal(response.status, 200);
	assert.ok(response.body !== null);
	const reader = response.body.getReader();
	let text = "";
	while (!pattern.test(text)) {
		const { value, done } = await reader.read();
		assert.ok(!done, `it ended with: ${text}`);
		text += Buffer.from(value).toString("utf8");
	}
	await reader.cancel();
	return text;
}

function headersOf({ session_id }: LegacyWire): Record<string, string> {
	return {
		accept: "application/json, text/event-stream",
		"content-type": "application/json",
		"mcp-session-id": session_id,
		"mcp-protocol-version": "2025-11-25",
	};
}

function hold(client: LegacyWire, key: string): Promise<Response> {
	const body =
		'{"jsonrpc":"2.0","id":"held","method":"tools/call","params":{"name":"hold",' +
		`"arguments":{"key":"${key}"},"_meta":{"progressToken":1}}}`;
	return fetch(client.address, { method: "POST", headers: headersOf(client), body });
}

function comeBack(client: LegacyWire, id: string): Promise<Response> {
	return fetch(client.address, { headers: { ...headersOf(client), "last-event-id": id } });
}

const last_id = (text: string) => [...text.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? "";

test("a call's result comes on the stream that was taken up twice", async () => {
	const client = await openLegacy(gateway.address("slow"));
	const first = await readUntil(await hold(client, "twice"), /"held"[^\n]*\n\n/u);
	const place = last_id(first);
	assert.notEqual(place, "");
	// The second connection is lost before anything happens on it.
	const second = await readUntil(await comeBack(client, place), /\n\n/u);
	assert.equal(last_id(second), place);
	assert.doesNotMatch(second, /^data: ?\S/mu);
	await client.call("release", '{"key":"twice"}');
	const third = await readUntil(await comeBack(client, last_id(second)), /released twice/u);
	assert.equal([...third.matchAll(/"id":"held"/gu)].length, 1);
});

test("an id of no event is refused, and so is one of another session", async () => {
	const [one, other] = await Promise.all([
		openLegacy(gateway.address("slow")),
		openLegacy(gateway.address("slow")),
	]);
	assert.ok(one !== undefined && other !== undefined);
	const place = last_id(await readUntil(await hold(one, "foreign"), /"held"[^\n]*\n\n/u));
	for (const id of [place, "nothing", `${"a".repeat(16)}-0`]) {
		const refused = await comeBack(other, id);
		assert.equal(refused.status, 400);
		await refused.body?.cancel();
	}
	await one.call("release", '{"key":"foreign"}');
	await readUntil(await comeBack(one, place), /released foreign/u);
});

test("a client that has everything is told that it need not come back", async () => {
	const client = await openLegacy(gateway.address("slow"));
	const first = await readUntil(await hold(client, "done"), /"held"[^\n]*\n\n/u);
	await client.call("release", '{"key":"done"}');
	const rest = await readUntil(await comeBack(client, last_id(first)), /released done[^\n]*\n\n/u);
	const again = await comeBack(client, last_id(rest));
	assert.equal(again.status, 204);
	assert.equal(await again.text(), "");
});

/** What a server of bytes sends first, as one read gives it. */
async function firstRead(address: URL, request: string): Promise<string> {
	const socket = connect(Number(address.port), address.hostname);
	socket.write(request);
	const [chunk] = (await once(socket, "data")) as [Buffer];
	socket.destroy();
	return chunk.toString("latin1");
}

test("the head of a stream never travels without an id to come back with", async () => {
	const client = await openLegacy(gateway.address("slow"));
	const heads = (more: Record<string, string>) =>
		Object.entries({ ...headersOf(client), host: client.address.host, ...more })
			.map(([name, value]) => `${name}: ${value}\r\n`)
			.join("");
	const path = client.address.pathname;
	const opened = await firstRead(client.address, `GET ${path} HTTP/1.1\r\n${heads({})}\r\n`);
	assert.match(opened, /^HTTP\/1.1 200 [^]*\r\n\r\n[^]*id: \S+\n/u);
	const place = last_id(opened);
	const resumed = await firstRead(
		client.address,
		`GET ${path} HTTP/1.1\r\n${heads({ "last-event-id": place })}\r\n`,
	);
	assert.match(resumed, /^HTTP\/1.1 200 /u);
	assert.equal(last_id(resumed), place);
});

test("an answer that was lost with the connection is asked for again when the client is back", async () => {
	const client = await openLegacy(gateway.address("asking"), {
		capabilities: '{"elicitation":{}}',
	});
	const body =
		'{"jsonrpc":"2.0","id":"asked","method":"tools/call","params":{"name":"elicit","arguments":{}}}';
	const called = await fetch(client.address, { method: "POST", headers: headersOf(client), body });
	const first = await readUntil(called, /elicitation\/create[^\n]*\n\n/u);
	const [, lost] = /"id":"(moorage-[^"]+)"/u.exec(first) ?? [];
	assert.ok(lost !== undefined);
	// Its answer never arrives. It comes back for the rest of its call instead.
	const resumed = await comeBack(client, last_id(first));
	const second = await readUntil(resumed, /elicitation\/create[^\n]*\n\n/u);
	assert.match(second, new RegExp(`notifications/cancelled[^\n]*"requestId":"${lost}"`, "u"));
	const [, anew] = /"id":"(moorage-[^"]+)"/u.exec(second) ?? [];
	assert.ok(anew !== undefined && anew !== lost);
	const result = '{"action":"accept","content":{"name":"Ada"}}';
	await client.notify(`{"jsonrpc":"2.0","id":"${anew}","result":${result}}`);
	const last = await readUntil(await comeBack(client, last_id(second)), /"asked"[^\n]*\n\n/u);
	assert.match(last, /Ada/u);
	assert.equal([...last.matchAll(/"id":"asked"/gu)].length, 1);
});
