import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { parse, textOf } from "../support/raw-client.ts";
import { client_info, openWire, replyOf, type WireClient } from "../support/wire-clients.ts";

/**
 * What a client and a server say to each other is compared as bytes: what the one sent, and
 * what the other received. Two sides of one era differ in the id alone; two sides of different
 * eras in the members that only one of the eras has.
 */

const eras = ["legacy", "modern"] as const;
const drivers = ["stdio", "http"] as const;
type Era = (typeof eras)[number];

const hops = ["clients", "servers", "pipes"] as const;

let gateway: TestGateway;
let fixtures: HttpFixture[];

before(async () => {
	const remote = (name: string, ...args: string[]) => startHttpFixture(name, ["--http", ...args]);
	fixtures = await Promise.all([
		remote("fidelity"),
		remote("fidelity", "--era", "modern"),
		remote("huge"),
		remote("huge", "--era", "modern"),
		remote("fidelity", "--json"),
	]);
	const [http_legacy, http_modern, huge_legacy, huge_modern, json] = fixtures.map(({ url }) => ({
		url,
	}));
	gateway = await startGateway(
		{
			servers: {
				"stdio-legacy": stdioFixture("fidelity"),
				"stdio-modern": stdioFixture("fidelity", "--era", "modern"),
				"http-legacy": http_legacy,
				"http-modern": http_modern,
				"json-legacy": json,
				"huge-stdio-legacy": stdioFixture("huge"),
				"huge-stdio-modern": stdioFixture("huge", "--era", "modern"),
				"huge-http-legacy": huge_legacy,
				"huge-http-modern": huge_modern,
			},
		},
		{
			wrong: hops.map((hop) => ({
				hop,
				direction: "to-client",
				complaint: /CallToolResult of .*\/content\/0 must/u,
				text: /"type":"hologram"/u,
				why: "A kind of content that no revision knows has to pass as it is.",
			})),
		},
	);
	for (const { name, state } of gateway.daemon.overview().servers) {
		assert.equal(state, "ready", name);
	}
});

after(async () => {
	await gateway.stop();
	await Promise.all(fixtures.map((fixture) => fixture.stop()));
});

/** Everything a careless relay damages, as members of arguments. */
const odd_members =
	'"big":12345678901234567890,"i64":-9223372036854775808,"one": 1.0,"exp":1E+2,"minus":-0.0,' +
	'"escapes":"\\u00e9\\/\\ud83d\\ude00 \\"q\\" \\\\ \\t","plain":"é 😀 日本語 \u2028",' +
	'"empty":{ },"list":[ ],"__proto__":{"kept":true},"\\u0065scaped key":null,"":[[[]]]';

const odd_request_extra = `"x-unknown":{"n":1.0},"arguments":{${odd_members}}`;

function mirrored(reply: Buffer): string {
	return Buffer.from(textOf(parse(reply)), "base64").toString("utf8");
}

/** The request as it arrived, with the id of the other hop taken out. */
function withoutId(bytes: string): string {
	return bytes.replace(/^(\{"jsonrpc":"2\.0","id":)[^,]+/, "$1#");
}

const envelope = (capabilities: string) =>
	'"io.modelcontextprotocol/protocolVersion":"2026-07-28",' +
	`"io.modelcontextprotocol/clientCapabilities":${capabilities},` +
	`"io.modelcontextprotocol/clientInfo":${client_info}`;

/** What a server of an era has to receive for `{"name":NAME,...}`. */
function expectedParams(server: Era, tool: string, meta: string | undefined): string {
	const params = `{"name":"${tool}",${odd_request_extra}`;
	const own = meta === undefined ? [] : [meta];
	const members = server === "modern" ? [...own, envelope("{}")] : own;
	return members.length === 0 ? `${params}}` : `${params},"_meta":{${members.join(",")}}}`;
}

async function clientAt(era: Era, endpoint: string): Promise<WireClient> {
	return openWire(era, gateway.address(endpoint));
}

for (const driver of drivers) {
	for (const server_era of eras) {
		for (const client_era of eras) {
			const server = `${driver}-${server_era}`;
			describe(`${client_era} client, ${server_era} server over ${driver}`, () => {
				for (const endpoint of [server, "mcp"]) {
					requestTest(client_era, server_era, server, endpoint);
				}
				resultTest(client_era, server_era, server);
				errorTest(client_era, server);
				notificationTest(client_era, server);
				hugeTest(client_era, server_era, `huge-${server}`);
			});
		}
	}
}

function requestTest(client_era: Era, server_era: Era, server: string, endpoint: string): void {
	const exposed = endpoint === "mcp" ? `${server}__mirror` : "mirror";
	test(`a request reaches the server as it was written, at ${endpoint}`, async () => {
		const client = await clientAt(client_era, endpoint);
		for (const meta of [undefined, '"com.example/trace":{"n":1.50},"traceparent":"00-\\u0061"']) {
			const answer = await client.send({
				method: "tools/call",
				id: '"id \\u0041 ü"',
				params: `{"name":"${exposed}",${odd_request_extra}}`,
				...(meta === undefined ? {} : { meta }),
			});
			const reply = replyOf(answer);
			assert.equal(
				withoutId(mirrored(reply)),
				`{"jsonrpc":"2.0","id":#,"method":"tools/call","params":` +
					`${expectedParams(server_era, "mirror", meta)}}`,
			);
			// The client's id comes back in its own spelling.
			assert.match(reply.toString("utf8"), /"id":"id \\u0041 ü"/);
		}
	});
}

const odd_result =
	`{ "content":[{"type":"hologram","depth":1e3,${odd_members}},` +
	`{"type":"text","text":"\\u00fc","x-unknown":9007199254740993}],` +
	`"x-first" : 1.0 ,"structuredContent":{${odd_members}},"isError":false,`;

const modern_members = '"resultType":"complete","ttlMs":0,"cacheScope":"private",';
const server_info = '"io.modelcontextprotocol/serverInfo":{"name":"x","version":"1"}';

/** The same result as a server of each era would write it. */
function resultFrom(era: Era, tail: string): string {
	return era === "modern" ? `${odd_result}"resultType":"complete",${tail}` : odd_result + tail;
}

async function said(client: WireClient, tool: string, raw: string): Promise<string> {
	const base64 = Buffer.from(raw).toString("base64");
	const answer = await client.send({
		method: "tools/call",
		id: "18446744073709551615",
		params: `{"name":"${tool}","arguments":{"base64":"${base64}"}}`,
	});
	assert.equal(answer.status, 200);
	return replyOf(answer).toString("utf8");
}

function resultTest(client_era: Era, server_era: Era, server: string): void {
	test("a result reaches the client as it was written", async () => {
		const meta = '"com.example/x":{"a":1.50},"progressToken":"not ours"';
		const tail = `"_meta":{${meta}}, "x-last":"ünïcödé" }`;
		const raw = resultFrom(server_era, tail);
		for (const endpoint of [server, "mcp"]) {
			const client = await clientAt(client_era, endpoint);
			const tool = endpoint === "mcp" ? `${server}__say` : "say";
			const reply = await said(client, tool, raw);
			const head = '{"jsonrpc":"2.0","id":18446744073709551615,"result":';
			assert.ok(reply.startsWith(head), reply.slice(0, 80));
			const result = reply.slice(head.length, -1);
			if (client_era === server_era) assert.equal(result, raw);
			else if (client_era === "legacy") assert.equal(result, odd_result + tail);
			else {
				const info =
					'"io.modelcontextprotocol/serverInfo":{"name":"fidelity","version":"1.0.0","x-unknown":1.0}';
				const named = tail.replace(meta, `${meta},${info}`);
				assert.equal(withoutTypes(result), odd_result + named);
				assert.match(result, /"resultType":"complete"/);
			}
		}
	});

	if (client_era !== "legacy" || server_era !== "modern") return;
	test("members that only modern results have do not reach a legacy client", async () => {
		const client = await clientAt(client_era, server);
		const raw = `{${modern_members}"content":[],"_meta":{${server_info}}}`;
		const reply = await said(client, "say", raw);
		assert.equal(reply, '{"jsonrpc":"2.0","id":18446744073709551615,"result":{"content":[]}}');
	});
}

/** The result without the member that says which kind of result it is, wherever it stands. */
function withoutTypes(result: string): string {
	return result
		.replace(/,"resultType":"complete"\s?\}$/, " }")
		.replace('"resultType":"complete",', "");
}

function errorTest(client_era: Era, server: string): void {
	test("an error reaches the client as it was written", async () => {
		const error = `{"code":-32077,"message":"\\u00fcber","data":{${odd_members}},"x-unknown":1.0}`;
		const client = await clientAt(client_era, server);
		const base64 = Buffer.from(error).toString("base64");
		const answer = await client.send({
			method: "tools/call",
			id: "7",
			params: `{"name":"fail","arguments":{"base64":"${base64}"}}`,
		});
		const expected = `{"jsonrpc":"2.0","id":7,"error":${error}}`;
		assert.equal(replyOf(answer).toString("utf8"), expected);
	});
}

function notificationTest(client_era: Era, server: string): void {
	test("progress reaches the client as it was written, under its own token", async () => {
		const client = await clientAt(client_era, server);
		for (const token of ['"t\\u006fken ü"', "9223372036854775807"]) {
			const answer = await client.send({
				method: "tools/call",
				params: '{"name":"report","arguments":{}}',
				meta: `"progressToken":${token}`,
			});
			const [progress] = answer.messages;
			assert.equal(
				progress?.toString("utf8"),
				`{"jsonrpc":"2.0","method":"notifications/progress","params":{"x-before":1.0,` +
					`"progressToken":${token},"progress":1.0,"message":"\\u00fc",` +
					`"x-after":12345678901234567890}}`,
			);
			assert.equal(answer.messages.length, 2);
		}
	});
}

function hugeTest(client_era: Era, server_era: Era, server: string): void {
	test("a result of 5 MB arrives whole", async () => {
		const client = await clientAt(client_era, server);
		const answer = await client.send({
			method: "tools/call",
			params: '{"name":"huge","arguments":{"bytes":5000000}}',
		});
		const reply = replyOf(answer).toString("utf8");
		const text = "0123456789".repeat(500_000);
		assert.ok(reply.includes(`"text":"${text}"`), `${server_era}: ${reply.length} characters`);
		assert.ok(reply.length < text.length + 400);
	});

	test("a request of 3 MB arrives whole", async () => {
		const client = await clientAt(client_era, server);
		const params = `{"name":"length","arguments":{"text":"${"é".repeat(1_500_000)}"}}`;
		const reply = await client.ask({ method: "tools/call", params });
		assert.ok(Number(textOf(reply)) > 3_000_000);
	});
}

test("a list at a server's own address is the server's own bytes", async () => {
	const odd_tool = /\{"x-before": 1\.0,"name":"odd".*?"x-after":\[ \]\}/s;
	for (const server of ["stdio-legacy", "http-legacy", "json-legacy"]) {
		const client = await clientAt("legacy", server);
		const answer = await client.send({ method: "tools/list" });
		const text = replyOf(answer).toString("utf8");
		const [found] = odd_tool.exec(text) ?? [];
		assert.equal(
			found,
			'{"x-before": 1.0,"name":"odd","title":"\\u00dcber","description":"Gr\\u00fc\\u00dfe \\/ 日本語",' +
				'"inputSchema":{"type":"object","$defs":{"n":{"const":12345678901234567890}}},"x-after":[ ]}',
		);
	}
});

test("in the list of all servers only the names are different", async () => {
	for (const era of eras) {
		const client = await clientAt(era, "mcp");
		const text = replyOf(await client.send({ method: "tools/list" })).toString("utf8");
		for (const server of ["stdio-legacy", "stdio-modern", "http-legacy", "http-modern"]) {
			assert.ok(
				text.includes(
					`{"x-before": 1.0,"name":"${server}__odd","title":"\\u00dcber","description":` +
						'"Gr\\u00fc\\u00dfe \\/ 日本語","inputSchema":{"type":"object","$defs":' +
						'{"n":{"const":12345678901234567890}}},"x-after":[ ]}',
				),
				`${server}: ${text.slice(0, 2000)}`,
			);
		}
	}
});

test("a message over several lines reaches a program as one line, and says the same", async () => {
	const client = await clientAt("legacy", "stdio-legacy");
	const params = '{\n\t"name": "mirror",\r\n\t"arguments": {\n"n": 1.0\n}\n}';
	const answer = await client.send({ method: "tools/call", params });
	assert.equal(
		withoutId(mirrored(replyOf(answer))),
		'{"jsonrpc":"2.0","id":#,"method":"tools/call","params":' +
			'{ \t"name": "mirror",  \t"arguments": { "n": 1.0 } }}',
	);
});

test("a canned result with everything odd in it passes through each server of its era", async () => {
	const odd = readFileSync(new URL("../servers/odd-result.raw", import.meta.url), "utf8").trimEnd();
	for (const era of eras) {
		for (const driver of drivers) {
			const client = await clientAt(era, `${driver}-${era}`);
			const answer = await client.send({
				method: "tools/call",
				id: "1",
				params: '{"name":"odd","arguments":{}}',
			});
			assert.equal(
				replyOf(answer).toString("utf8"),
				`{"jsonrpc":"2.0","id":1,"result":${odd}}`,
				`${driver} ${era}`,
			);
		}
	}
});

test("a method nobody knows passes through a server's own address", async () => {
	for (const era of eras) {
		const client = await clientAt(era, `stdio-${era}`);
		const { error } = await client.ask({ method: "x-vendor/anything", params: '{"n":1.0}' });
		assert.equal(error.code, -32601);
		assert.match(error.message, /x-vendor\/anything/);
	}
});
