import assert from "node:assert/strict";
import { test } from "node:test";
import { indexMessage } from "../../wire/index-message.ts";
import { classify, envelopeVersion, readHeader } from "./classify.ts";

const version_key = "io.modelcontextprotocol/protocolVersion";

function messageOf(text: string) {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, text);
	return indexed.value;
}

const request = (method: string, params: object = {}) =>
	messageOf(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));

const enveloped = (version: unknown) => ({ _meta: { [version_key]: version } });
const header = (version: string) => ({ "mcp-protocol-version": version });

function rejection(message: ReturnType<typeof request>, headers: object): number | undefined {
	const classified = classify(message, { ...headers });
	return classified.kind === "rejected" ? classified.reply.code : undefined;
}

test("an envelope makes a request modern, whatever version it names", () => {
	for (const version of ["2026-07-28", "2099-01-01", "2025-11-25", 7, null]) {
		for (const headers of [{}, header("2026-07-28"), header("2025-11-25")]) {
			const classified = classify(request("tools/list", enveloped(version)), headers);
			assert.deepEqual(classified, { kind: "modern" }, String(version));
		}
	}
});

test("a request without an envelope is legacy, unless its header says otherwise", () => {
	for (const headers of [{}, header("2025-11-25"), header("2025-03-26"), header("nonsense")]) {
		assert.deepEqual(classify(request("tools/list"), headers), { kind: "legacy" });
	}
	assert.equal(rejection(request("tools/list"), header("2026-07-28")), -32602);
	assert.equal(rejection(request("tools/list", { _meta: {} }), header("2026-07-28")), -32602);
});

test("initialize is the legacy handshake, and never comes under a modern header", () => {
	const initialize = request("initialize", { protocolVersion: "2025-11-25" });
	assert.deepEqual(classify(initialize, {}), { kind: "legacy" });
	assert.deepEqual(classify(initialize, header("2025-11-25")), { kind: "legacy" });
	assert.equal(rejection(initialize, header("2026-07-28")), -32020);
	// With a legacy version in its envelope it is still the handshake.
	assert.deepEqual(classify(request("initialize", enveloped("2025-11-25")), {}), {
		kind: "legacy",
	});
	assert.deepEqual(classify(request("initialize", enveloped("2026-07-28")), {}), {
		kind: "modern",
	});
});

test("answers of a client are always legacy: a modern client is never asked over HTTP", () => {
	for (const body of ['"result":{}', '"error":{"code":1,"message":"no"}']) {
		const message = messageOf(`{"jsonrpc":"2.0","id":1,${body}}`);
		assert.deepEqual(classify(message, header("2026-07-28")), { kind: "legacy" });
	}
});

test("a notification under a modern header needs no envelope", () => {
	const message = messageOf('{"jsonrpc":"2.0","method":"notifications/x"}');
	assert.deepEqual(classify(message, header("2026-07-28")), { kind: "modern" });
	assert.deepEqual(classify(message, header("2025-06-18")), { kind: "legacy" });
	assert.deepEqual(classify(message, {}), { kind: "legacy" });
});

test("the version in an envelope is read when it is a text", () => {
	assert.equal(envelopeVersion(request("x", enveloped("2026-07-28"))), "2026-07-28");
	assert.equal(envelopeVersion(request("x", enveloped(7))), undefined);
	assert.equal(envelopeVersion(request("x")), undefined);
});

test("a header is read without the blanks around it", () => {
	assert.equal(readHeader({ "mcp-method": " \ttools/list " }, "mcp-method"), "tools/list");
	assert.equal(readHeader({}, "mcp-method"), undefined);
});
