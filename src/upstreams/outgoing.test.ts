import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { message, toolRequest } from "../../test/support/upstream-harness.ts";
import { memberSpan } from "../wire/object.ts";
import { objectEdits } from "../wire/splice.ts";
import type { UpstreamRequest } from "./driver.ts";
import { progressToken, stampLine, stampRequest, withEnvelope } from "./outgoing.ts";

const envelope = {
	revision: "2026-07-28",
	capabilities: '{ "roots":{} }',
	info: '{"name":"m","version":"1.0"}',
};
const version_key = "io.modelcontextprotocol/protocolVersion";
const capabilities_key = "io.modelcontextprotocol/clientCapabilities";
const info_key = "io.modelcontextprotocol/clientInfo";

function request(text: string): UpstreamRequest {
	return { ...toolRequest("x"), message: message(text) };
}

function sent(made: UpstreamRequest): string {
	return stampRequest(made.message, made.edits, 9).toString("utf8");
}

test("id and progress token become the id of this hop, everything else stays", () => {
	const text =
		'{"id" : "a\\"b" ,"jsonrpc":"2.0","method":"m","params":' +
		'{"_meta":{"progressToken":1e3,"y":1.0},"z":12345678901234567890}}';
	const made = message(text);
	assert.equal(progressToken(made), "1e3");
	assert.equal(
		stampRequest(made, [], 42).toString("utf8"),
		text.replace('"a\\"b"', "42").replace("1e3", "42"),
	);
});

test("as a line it is the same with its newline, and breaks between tokens are spaces", () => {
	const texts = [
		'{"jsonrpc":"2.0","id":1,"method":"m"}',
		'\n{"params":{"a":\r\n[1,\n2]},"id":"x","method":"m","jsonrpc":"2.0"}\r\n',
		'{"method":"m","params":{"_meta":{"progressToken":"p"}},"id":7,"jsonrpc":"2.0"}\n',
	];
	for (const text of texts) {
		const made = message(text);
		const edits =
			made.params === undefined ? [] : objectEdits(made.bytes, made.params, { set: { b: "3" } });
		const whole = stampRequest(made, edits, 9).toString();
		assert.equal(stampLine(made, edits, 9).toString(), `${whole.replaceAll(/[\r\n]/g, " ")}\n`);
		assert.deepEqual(JSON.parse(whole), { ...JSON.parse(stampLine(made, edits, 9).toString()) });
		assert.equal(made.bytes.toString(), text);
	}
});

test("a request without a progress token gets none", () => {
	const made = message('{"jsonrpc":"2.0","id":1,"method":"m"}');
	assert.equal(progressToken(made), undefined);
	assert.equal(stampRequest(made, [], 2).toString(), '{"jsonrpc":"2.0","id":2,"method":"m"}');
});

test("a request without params gets the envelope and nothing else", () => {
	const made = withEnvelope(request('{"jsonrpc":"2.0","id":1,"method":"tools/list"}'), envelope);
	assert.equal(
		sent(made),
		'{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"_meta":{' +
			`"${version_key}":"2026-07-28","${capabilities_key}":{ "roots":{} },` +
			`"${info_key}":{"name":"m","version":"1.0"}}}}`,
	);
});

test("what the request says itself is kept, only what lacks is added", () => {
	const text =
		'{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":' +
		`{"${capabilities_key}":{"sampling":{}},"progressToken":"t"}}}`;
	const parsed = JSON.parse(sent(withEnvelope(request(text), envelope)));
	assert.deepEqual(parsed.params._meta, {
		[capabilities_key]: { sampling: {} },
		progressToken: 9,
		[version_key]: "2026-07-28",
		[info_key]: { name: "m", version: "1.0" },
	});
});

test("a request whose edits bring the envelope is not copied", () => {
	const made = request('{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}');
	const meta = `{"${version_key}":"2026-07-28","${capabilities_key}":{},"${info_key}":{}}`;
	assert.ok(made.message.params !== undefined);
	const edits = objectEdits(made.message.bytes, made.message.params, { set: { _meta: meta } });
	const edited = { ...made, edits };
	assert.equal(withEnvelope(edited, envelope), edited);
	assert.deepEqual(JSON.parse(sent(edited)).params._meta, JSON.parse(meta));
});

test("edits of the caller and a missing envelope come together in one message", () => {
	const made = request('{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"a__b","_meta":{}}}');
	const name = memberSpan(made.message.params, "name");
	assert.ok(name !== undefined);
	const edits = [{ start: name.start, end: name.end, text: '"b"' }];
	const parsed = JSON.parse(sent(withEnvelope({ ...made, edits }, envelope)));
	assert.equal(parsed.params.name, "b");
	assert.equal(parsed.params._meta[version_key], "2026-07-28");
});

test("any request comes out as it went in, with the hop's id and a whole envelope", () => {
	const meta = fc.dictionary(
		fc.constantFrom(version_key, capabilities_key, "com.example/x", "progressToken", "ü"),
		fc.oneof(fc.string(), fc.integer()),
	);
	const params = fc.record(
		{ _meta: meta, arguments: fc.jsonValue(), name: fc.string() },
		{ requiredKeys: [] },
	);
	const id = fc.oneof(fc.string(), fc.integer());
	fc.assert(
		fc.property(id, fc.option(params, { nil: undefined }), (client_id, given) => {
			const original = { jsonrpc: "2.0", id: client_id, method: "m", params: given };
			const made = withEnvelope(request(JSON.stringify(original)), envelope);
			const parsed = JSON.parse(sent(made));
			const expected = JSON.parse(JSON.stringify(original));
			const expected_meta = {
				[version_key]: "2026-07-28",
				[capabilities_key]: { roots: {} },
				[info_key]: { name: "m", version: "1.0" },
				...given?._meta,
				...(given?._meta !== undefined && Object.hasOwn(given._meta, "progressToken")
					? { progressToken: 9 }
					: {}),
			};
			expected.id = 9;
			expected.params = { ...expected.params, _meta: expected_meta };
			assert.deepEqual(parsed, JSON.parse(JSON.stringify(expected)));
		}),
		{ numRuns: 300 },
	);
});
