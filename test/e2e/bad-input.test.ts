import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import {
	exchange,
	parse,
	post_headers,
	type RawAnswer,
	type RawRequest,
	type RawStream,
	textOf,
} from "../support/raw-client.ts";
import { LegacyWire, ModernWire, openLegacy, replyOf } from "../support/wire-clients.ts";

/** Everything a client can get wrong, while two clients that do nothing wrong are at work. */

let gateway: TestGateway;
let legacy: LegacyWire;
let held: RawStream;
let push: RawStream;
let instance: string;

const body_bytes_max = 64 * 1024;

before(async () => {
	gateway = await startGateway(
		{
			servers: {
				echo: stdioFixture("echo"),
				slow: stdioFixture("slow"),
				stateful: stdioFixture("stateful"),
			},
			limits: { body: "64KiB", headers: "8KiB" },
		},
		{
			wrong: [
				{
					hop: "clients",
					direction: "to-server",
					complaint: /^/u,
					why: "These clients get everything wrong; what they are told has to be right.",
				},
			],
		},
	);
	const stateful = new ModernWire(gateway.address("stateful"));
	instance = textOf(await stateful.call("instance"));
	legacy = await openLegacy(gateway.address("echo"));
	push = await legacy.listen();
	held = await new ModernWire(gateway.address("slow")).open({
		method: "tools/call",
		params: '{"name":"hold","arguments":{"key":"k"}}',
		meta: '"progressToken":1',
	});
	await held.until(({ method }) => method === "notifications/progress");
});

after(() => gateway.stop());

interface Case {
	readonly name: string;
	readonly status: number;
	/** Undefined where the answer is no JSON-RPC message. */
	readonly code?: number;
	readonly says?: RegExp;
	/** The id the answer goes to; null when the request's could not be read. */
	readonly id?: unknown;
	readonly endpoint?: string;
	readonly path?: string;
	readonly request: () => RawRequest;
}

function check(answer: RawAnswer, expected: Case): void {
	const text = answer.body.toString("utf8");
	assert.equal(answer.status, expected.status, text);
	if (expected.code !== undefined) {
		const { error, id } = parse(replyOf(answer));
		assert.equal(error.code, expected.code, text);
		assert.equal(id, expected.id ?? null, text);
		assert.ok(error.message.length > 0);
	}
	if (expected.says !== undefined) assert.match(text, expected.says);
}

function run(cases: readonly Case[]): void {
	for (const each of cases) {
		test(`${each.name} is answered with ${[each.status, each.code].join(" ").trim()}`, async () => {
			const address = gateway.address(each.endpoint ?? "echo");
			if (each.path !== undefined) address.pathname = each.path;
			check(await exchange(address, each.request()), each);
		});
	}
}

const call = '"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}';

/** A post by the session of the well-behaved client. */
const posted = (body: Buffer | string) => (): RawRequest => ({ headers: legacy.headers({}), body });

const bad_json: readonly (readonly [string, Buffer | string])[] = [
	["an empty body", ""],
	["half a message", `{"jsonrpc":"2.0","id":1,${call}`],
	["two messages in a row", `{"jsonrpc":"2.0","id":1,${call}}{}`],
	["a trailing comma", `{"jsonrpc":"2.0","id":1,${call},}`],
	["single quotes", "{'jsonrpc':'2.0'}"],
	["a number JSON does not have", `{"jsonrpc":"2.0","id":01,${call}}`],
	["NaN", `{"jsonrpc":"2.0","id":1,"method":"x","params":{"n":NaN}}`],
	["a raw control character", `{"jsonrpc":"2.0","id":1,"method":"x\u0001"}`],
	["a byte order mark", `\ufeff{"jsonrpc":"2.0","id":1,${call}}`],
	["invalid UTF-8 in a string", Buffer.from([0x22, 0xff, 0xfe, 0x22])],
	[
		"invalid UTF-8 in a value deep inside",
		Buffer.concat([
			Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":["'),
			Buffer.from([0xc3, 0x28]),
			Buffer.from('"]}}'),
		]),
	],
	["values nested without end", `{"jsonrpc":"2.0","id":1,"params":{"a":${"[".repeat(5000)}`],
];

describe("bytes that are not JSON", () => {
	run(bad_json.map(([name, body]) => ({ name, status: 400, code: -32700, request: posted(body) })));
});

const bad_messages: readonly (readonly [string, string, unknown])[] = [
	["a text", '"hello"', null],
	["a number", "17", null],
	["no jsonrpc member", `{"id":1,${call}}`, 1],
	["another version of JSON-RPC", `{"jsonrpc":"1.0","id":1,${call}}`, 1],
	["neither method nor result", '{"jsonrpc":"2.0","id":1}', 1],
	["a method that is no text", '{"jsonrpc":"2.0","id":1,"method":7}', 1],
	["a null id", `{"jsonrpc":"2.0","id":null,${call}}`, null],
	["an object as an id", `{"jsonrpc":"2.0","id":{},${call}}`, null],
	["params as a list", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 1],
	["result and error at once", '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 1],
	["a second method", `{"jsonrpc":"2.0","id":1,"method":"ping",${call}}`, 1],
	["a second id", `{"jsonrpc":"2.0","id":1,"id":2,${call}}`, null],
	[
		"a second name in params",
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"x"}}',
		1,
	],
	[
		"a second name in params, spelt with an escape",
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\\u0061me":"x"}}',
		1,
	],
	[
		"a second member in _meta",
		'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1,"a":2}}}',
		1,
	],
];

describe("JSON that is no message", () => {
	run(
		bad_messages.map(([name, body, id]) => ({
			name,
			status: 400,
			code: -32600,
			id,
			request: posted(body),
		})),
	);
});

describe("HTTP that an MCP address does not take", () => {
	const body = `{"jsonrpc":"2.0","id":1,${call}}`;
	const large = `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"${"x".repeat(body_bytes_max)}"}}`;
	const session = () => legacy.headers({});
	run([
		{ name: "a body that is too large", status: 413, code: -32600, request: posted(large) },
		{
			name: "a body that is too large and comes without a length",
			status: 413,
			code: -32600,
			request: () => ({
				headers: { ...session(), "transfer-encoding": "chunked" },
				body: large,
			}),
		},
		...["text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""].map(
			(type): Case => ({
				name: `a body of type "${type}"`,
				status: 415,
				code: -32600,
				request: () => ({ headers: { ...session(), "content-type": type }, body }),
			}),
		),
		{
			name: "a client that takes neither JSON nor streams",
			status: 406,
			code: -32600,
			request: () => ({ headers: { ...session(), accept: "text/html" }, body }),
		},
		{
			name: "a session that does not exist",
			status: 404,
			code: -32600,
			request: () => ({ headers: { ...post_headers, "mcp-session-id": "no-such" }, body }),
		},
		{
			name: "a session at another server's address",
			status: 404,
			code: -32600,
			endpoint: "slow",
			request: posted(body),
		},
		{
			name: "a legacy revision that does not exist",
			status: 400,
			code: -32600,
			says: /2025-11-25/,
			request: () => ({ headers: { ...session(), "mcp-protocol-version": "2025-01-01" }, body }),
		},
		{ name: "PUT", status: 405, code: -32600, request: () => ({ method: "PUT" }) },
		{
			name: "GET without a session",
			status: 405,
			code: -32600,
			request: () => ({ method: "GET" }),
		},
		{
			name: "DELETE without a session",
			status: 405,
			code: -32600,
			request: () => ({ method: "DELETE" }),
		},
		{
			name: "GET in the modern revision",
			status: 405,
			code: -32600,
			request: () => ({ method: "GET", headers: { "mcp-protocol-version": "2026-07-28" } }),
		},
		{
			name: "a server that does not exist",
			status: 404,
			says: /no-such-server/,
			path: "/no-such-server/mcp",
			request: posted(body),
		},
		{ name: "a path that leads nowhere", status: 404, path: "/mcp/x", request: posted(body) },
		{ name: "a path out of the house", status: 404, path: "//etc/passwd", request: posted(body) },
		{
			name: "another host's name",
			status: 403,
			says: /host_not_allowed/,
			request: () => ({ headers: { ...session(), host: "evil.example" }, body }),
		},
		{
			name: "another site's origin",
			status: 403,
			says: /origin_not_allowed/,
			request: () => ({ headers: { ...session(), origin: "https://evil.example" }, body }),
		},
		{
			name: "headers that are too large",
			status: 431,
			request: () => ({ headers: { ...session(), "x-large": "x".repeat(9000) }, body }),
		},
	]);

	test("bytes that are not HTTP are answered with 400 and cost nobody anything", async () => {
		const { port } = gateway.address();
		const socket = connect(Number(port), "127.0.0.1");
		socket.end("\x16\x03\x01\x02\x00 this is not HTTP\r\n\r\n");
		const [chunk] = (await once(socket, "data")) as [Buffer];
		assert.match(chunk.toString("latin1"), /^HTTP\/1\.1 400 /);
		socket.destroy();
	});

	test("a client that goes away in the middle of its body is forgotten", async () => {
		const { port } = gateway.address();
		const socket = connect(Number(port), "127.0.0.1");
		socket.write(
			"POST /echo/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
				'Accept: application/json\r\nContent-Length: 500\r\n\r\n{"jsonrpc":',
		);
		await once(socket, "connect");
		socket.destroy();
		assert.equal(textOf(await legacy.call("echo", '{"text":"on"}')), "on");
	});
});

describe("a legacy request that makes no sense", () => {
	const request = (method: string, params: string) =>
		`{"jsonrpc":"2.0","id":5,"method":"${method}","params":${params}}`;
	const wrong = (name: string, status: number, code: number, body: string): Case => ({
		name,
		status,
		code,
		id: 5,
		request: posted(body),
	});
	run([
		wrong("a method nobody knows", 200, -32601, request("no/such", "{}")),
		wrong("a method of the modern revision", 200, -32601, request("server/discover", "{}")),
		wrong("a tool the server does not have", 200, -32602, request("tools/call", '{"name":"x"}')),
		wrong(
			"a log level that does not exist",
			200,
			-32602,
			request("logging/setLevel", '{"level":"loud"}'),
		),
		{
			...wrong("initialize without params", 400, -32602, request("initialize", "{}")),
			request: () => ({ body: request("initialize", "{}") }),
		},
		{
			...wrong("initialize with odd capabilities", 400, -32602, ""),
			request: () => ({
				body: request(
					"initialize",
					'{"protocolVersion":"2025-11-25","capabilities":[],"clientInfo":{}}',
				),
			}),
		},
		{
			name: "a batch at a revision without batches",
			status: 400,
			code: -32600,
			says: /2025-03-26/,
			request: posted(`[${request("ping", "{}")}]`),
		},
	]);

	test("batches at the one revision that has them are checked as a whole", async () => {
		const client = await openLegacy(gateway.address("echo"), { revision: "2025-03-26" });
		const post = (body: string) => exchange(client.address, { headers: client.headers({}), body });
		for (const body of ["[]", "[1]", `[${request("ping", "{}")},7]`]) {
			const answer = await post(body);
			assert.equal(answer.status, 400, body);
			assert.equal(parse(replyOf(answer)).error.code, -32600, body);
		}
		const initialize = request("initialize", "{}");
		assert.equal((await post(`[${initialize}]`)).status, 400);
		const answer = await post(
			`[${request("ping", "{}")},{"jsonrpc":"2.0","method":"notifications/x"},` +
				`{"jsonrpc":"2.0","id":6,${call}}]`,
		);
		const replies = JSON.parse(replyOf(answer).toString("utf8")) as { id: number }[];
		assert.deepEqual(new Set(replies.map(({ id }) => id)), new Set([5, 6]));
		assert.equal(replies.length, 2);
	});

	test("names and cursors that the address of all servers never gave out", async () => {
		const client = await openLegacy(gateway.address());
		const code = async (method: string, params: string) => {
			const { error } = await client.ask({ method, params });
			return error.code;
		};
		assert.equal(await code("tools/call", '{"name":"echo"}'), -32602);
		assert.equal(await code("tools/call", '{"name":"echo__x"}'), -32602);
		assert.equal(await code("tools/call", '{"name":7}'), -32602);
		assert.equal(await code("tools/call", "{}"), -32602);
		assert.equal(await code("prompts/get", '{"name":"echo__x"}'), -32602);
		assert.equal(await code("resources/read", '{"uri":"file:///etc/passwd"}'), -32002);
		assert.equal(await code("resources/read", '{"uri":"moorage://nobody/x"}'), -32002);
		assert.equal(await code("resources/read", '{"uri":["x"]}'), -32602);
		assert.equal(await code("tools/list", '{"cursor":"made up"}'), -32602);
		assert.equal(await code("tools/list", '{"cursor":7}'), -32602);
		assert.equal(await code("completion/complete", '{"ref":{}}'), -32602);
		assert.equal(await code("no/such", "{}"), -32601);
	});
});

describe("a modern request that does not say what it has to", () => {
	const named = {
		method: "tools/call",
		params: '{"name":"echo","arguments":{"text":"x"}}',
		id: "5",
	};
	const modern = () => new ModernWire(gateway.address("echo"));
	const changed = (headers: Record<string, string | undefined>) => (): RawRequest => {
		const all = { ...modern().headers(named), ...headers };
		const kept = Object.entries(all).filter(
			(entry): entry is [string, string] => entry[1] !== undefined,
		);
		return { headers: Object.fromEntries(kept), body: modern().compose(named) };
	};
	const enveloped =
		(envelope: string, version = "2026-07-28") =>
		(): RawRequest => ({
			headers: { ...modern().headers(named), "mcp-protocol-version": version },
			body: `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","_meta":{${envelope}}}}`,
		});
	const version = '"io.modelcontextprotocol/protocolVersion":';
	const capabilities = '"io.modelcontextprotocol/clientCapabilities":{}';
	const wrong = (name: string, code: number, request: () => RawRequest, says?: RegExp): Case => ({
		name,
		status: 400,
		code,
		id: 5,
		request,
		...(says === undefined ? {} : { says }),
	});
	run([
		wrong("another method in the header", -32020, changed({ "mcp-method": "tools/list" })),
		wrong("no method in the headers", -32020, changed({ "mcp-method": undefined })),
		wrong("another name in the header", -32020, changed({ "mcp-name": "other" })),
		wrong("no name in the headers", -32020, changed({ "mcp-name": undefined })),
		wrong("a name in base64 that is none", -32020, changed({ "mcp-name": "=?base64?%%?=" })),
		wrong("no version in the headers", -32020, changed({ "mcp-protocol-version": undefined })),
		wrong(
			"another version in the header",
			-32020,
			enveloped(`${version}"2026-07-28",${capabilities}`, "2025-11-25"),
		),
		wrong(
			"a version from the future",
			-32022,
			enveloped(`${version}"2099-01-01",${capabilities}`, "2099-01-01"),
			/"supported":\["2026-07-28"\],"requested":"2099-01-01"/,
		),
		wrong("no envelope", -32602, enveloped("")),
		wrong("an envelope without capabilities", -32602, enveloped(`${version}"2026-07-28"`)),
		wrong(
			"capabilities that are no object",
			-32602,
			enveloped(`${version}"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]`),
		),
		wrong("a version that is no text", -32602, enveloped(`${version}7,${capabilities}`)),
		wrong(
			"client info without a name",
			-32602,
			enveloped(
				`${version}"2026-07-28",${capabilities},"io.modelcontextprotocol/clientInfo":{"version":"1"}`,
			),
		),
		wrong(
			"client info that is no object",
			-32602,
			enveloped(`${version}"2026-07-28",${capabilities},"io.modelcontextprotocol/clientInfo":null`),
		),
	]);

	test("methods that exist in the other era only are not found, with status 404", async () => {
		for (const method of ["ping", "logging/setLevel", "resources/subscribe", "no/such"]) {
			const answer = await modern().send({ method });
			assert.equal(answer.status, 404, method);
			assert.equal(parse(replyOf(answer)).error.code, -32601, method);
		}
	});

	test("a state that the gateway never gave out is refused", async () => {
		const name = '"name":"echo","arguments":{"text":"x"}';
		for (const state of ["moorage1.", "moorage1.forged", `moorage1.${"A".repeat(200)}`]) {
			const { error } = await modern().ask({
				method: "tools/call",
				params: `{${name},"requestState":"${state}","inputResponses":{}}`,
			});
			assert.equal(error.code, -32602, state);
		}
	});

	test("a subscription to something that is no filter is refused", async () => {
		for (const params of ["{}", '{"notifications":[]}', '{"notifications":"tools"}']) {
			const { error } = await modern().ask({ method: "subscriptions/listen", params });
			assert.equal(error.code, -32602, params);
		}
	});

	test("a resource that is not there is an invalid parameter", async () => {
		const client = new ModernWire(gateway.address());
		const { error } = await client.ask({
			method: "resources/read",
			params: '{"uri":"moorage://nobody/x"}',
		});
		assert.equal(error.code, -32602);
	});
});

test("nothing that was at work has been disturbed", async () => {
	assert.equal(textOf(await legacy.call("echo", '{"text":"still"}')), "still");
	const slow = new ModernWire(gateway.address("slow"));
	assert.equal(textOf(await slow.call("release", '{"key":"k"}')), "true");
	assert.equal(textOf(await held.reply()), "released k");
	const stateful = new ModernWire(gateway.address("stateful"));
	assert.equal(textOf(await stateful.call("instance")), instance);
	push.close();
	await push.ended;
	for (const { name, state } of gateway.daemon.overview().servers) {
		assert.equal(state, "ready", name);
	}
	const defects = gateway.log.lines.filter(({ level }) => level === "error");
	assert.deepEqual(defects, []);
});
