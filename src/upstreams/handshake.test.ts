import assert from "node:assert/strict";
import { test } from "node:test";
import { message, Recorder, recordingContext } from "../../test/support/upstream-harness.ts";
import {
	composeDiscover,
	composeInitialize,
	isModernError,
	namesLegacy,
	offeredInstead,
	readDiscovered,
	readHandshakeError,
	readInitialized,
} from "./handshake.ts";

const context = recordingContext(new Recorder(), {
	client_capabilities: '{"roots":{ "x":1.0}}',
	client_info: '{"name":"m"}',
});

function result(json: string) {
	return message(`{"jsonrpc":"2.0","id":1,"result":${json}}`);
}

function error(json: string) {
	return message(`{"jsonrpc":"2.0","id":1,"error":${json}}`);
}

test("initialize offers what the context says, byte by byte", () => {
	assert.equal(
		composeInitialize(context).bytes.toString(),
		'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",' +
			'"capabilities":{"roots":{ "x":1.0}},"clientInfo":{"name":"m"}}}',
	);
	assert.equal(composeDiscover().method, "server/discover");
});

test("what initialize brings is kept as it was written, what lacks is empty", () => {
	const full =
		'{"protocolVersion":"2024-11-05","capabilities":{"tools": {}},' +
		'"serverInfo":{"name":"s","version":"1","v":1.0},"instructions":"Do \\u0061."}';
	assert.deepEqual(readInitialized(result(full)), {
		era: "legacy",
		revision: "2024-11-05",
		capabilities: '{"tools": {}}',
		server_info: '{"name":"s","version":"1","v":1.0}',
		instructions: "Do a.",
	});
	assert.deepEqual(readInitialized(result('{"protocolVersion":"2025-06-18","capabilities":[]}')), {
		era: "legacy",
		revision: "2025-06-18",
		capabilities: "{}",
		server_info: '{"name":"unnamed","version":"unknown"}',
		instructions: undefined,
	});
});

test("an answer to initialize without a revision we can speak is refused in words", () => {
	for (const json of ["{}", '{"protocolVersion":1}']) {
		assert.match(readInitialized(result(json)) as string, /without a protocol version/);
	}
	for (const revision of ["2026-07-28", "2031-01-01", "latest", "x".repeat(1_000)]) {
		const refused = readInitialized(result(`{"protocolVersion":"${revision}"}`));
		assert.match(refused as string, /unknown revision/);
		assert.ok((refused as string).length < 120);
	}
});

test("what server/discover brings is read, its name from the result's _meta", () => {
	const json =
		'{"supportedVersions":["2031-01-01","2026-07-28"],"capabilities":{"tools":{}},' +
		'"instructions":"x","_meta":{"io.modelcontextprotocol/serverInfo":{"name": "s"}}}';
	// What is left out is put in, because clients refuse an introduction without it.
	assert.deepEqual(readDiscovered(result(json)), {
		era: "modern",
		revision: "2026-07-28",
		capabilities: '{"tools":{}}',
		server_info: '{"name":"s","version":"unknown"}',
		instructions: "x",
	});
	assert.equal(typeof readDiscovered(result('{"supportedVersions":["2031-01-01"]}')), "string");
});

test("a result that no modern server gives to server/discover is no answer of one", () => {
	assert.equal(readDiscovered(result("{}")), undefined);
	assert.equal(readDiscovered(result('{"supportedVersions":"2026-07-28"}')), undefined);
	assert.equal(readDiscovered(result('{"supportedVersions":["2025-11-25"]}')), undefined);
});

test("an error is read as far as it goes", () => {
	assert.equal(readHandshakeError(result("{}")), undefined);
	const text = "m".repeat(2_000);
	const full = error(`{"code":-32022,"message":"${text}","data":{"supported":["a",1,"b"]}}`);
	const read = readHandshakeError(full);
	assert.deepEqual([read?.code, read?.supported], [-32022, ["a", "b"]]);
	assert.equal(read?.message.length, 500);
	const odd = readHandshakeError(error('{"code":"x","data":[1]}'));
	assert.deepEqual(odd, { code: 0, supported: undefined, message: "" });
});

test("the codes of the modern era are told from all others", () => {
	for (const code of [-32020, -32021, -32022]) assert.equal(isModernError(code), true);
	for (const code of [-32000, -32601, -32602, -32042, 0]) assert.equal(isModernError(code), false);
});

test("an error that names a legacy revision leaves hope", () => {
	const named = (supported: string[] | undefined) =>
		namesLegacy({ code: 0, supported, message: "" });
	assert.equal(named(["2026-07-28", "2025-03-26"]), true);
	assert.equal(named(["2026-07-28"]), false);
	assert.equal(named(undefined), false);
});

test("the revision to ask in instead is the newest of those that an error offers", () => {
	const error = (code: number, supported: readonly string[]) => ({ code, supported, message: "" });
	assert.equal(offeredInstead(error(-32022, ["2031-01-01", "2026-07-28"])), "2026-07-28");
	assert.equal(offeredInstead(error(-32022, ["2025-11-25"])), undefined);
	assert.equal(offeredInstead(error(-32601, ["2026-07-28"])), undefined);
	assert.equal(offeredInstead({ code: -32022, supported: undefined, message: "" }), undefined);
});
